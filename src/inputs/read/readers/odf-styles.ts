/** What the styles of an OpenDocument file say about its text. */
export interface OdfStyles {
  /** Reports the beginning of a tag; call it for the tags of all parts that define styles. */
  observe(name: string, attributes: Readonly<Record<string, string>>): void
  /** Whether a list style numbers its items at a level, from 1. */
  isNumbered(listStyle: string, level: number): boolean
  /** Whether the sheets of a table style are hidden. */
  isHidden(tableStyle: string): boolean
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
      if (name === 'style:table-properties' && attributes['table:display'] === 'false')
        hiddenStyles.add(style)
    },
    isNumbered: (list, level) => numberedLevels.has(`${list} ${level}`),
    isHidden: (table) => hiddenStyles.has(table),
  }
}
