/** What the styles of an OpenDocument file say about its text. */
export interface OdfStyles {
  /** Reports the beginning of a tag; call it for the tags of all parts that define styles. */
  observe(name: string, attributes: Readonly<Record<string, string>>): void
  /** Whether a list style numbers its items at a level, from 1. */
  isNumbered(listStyle: string, level: number): boolean
  /** Whether the sheets of a table style, or the text of another style, are hidden. */
  isHidden(style: string): boolean
}

/** Returns a collector of styles. */
export function createOdfStyles(): OdfStyles {
  const numberedLevels = new Set<string>()
  const hiddenStyles = new Set<string>()
  let [listStyle, style] = ['', '']
  return {
    observe(name, attributes) {
      if (name === 'text:list-style') listStyle = attributes['style:name'] ?? ''
      if (name === 'text:list-level-style-number' && attributes['style:num-format'] !== '')
        numberedLevels.add(`${listStyle} ${attributes['text:level']}`)
      if (name === 'style:style') style = attributes['style:name'] ?? ''
      if (name === 'style:style' && hiddenStyles.has(attributes['style:parent-style-name'] ?? ''))
        hiddenStyles.add(style)
      if (isHiding(name, attributes)) hiddenStyles.add(style)
      if (name === 'style:text-properties' && attributes['text:display'] === 'true')
        hiddenStyles.delete(style)
    },
    isNumbered: (list, level) => numberedLevels.has(`${list} ${level}`),
    isHidden: (name) => hiddenStyles.has(name),
  }
}

function isHiding(name: string, attributes: Readonly<Record<string, string>>): boolean {
  return (
    (name === 'style:table-properties' && attributes['table:display'] === 'false') ||
    (name === 'style:text-properties' && attributes['text:display'] === 'none')
  )
}
