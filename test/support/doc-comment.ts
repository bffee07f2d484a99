/** A docstring: its text in Markdown, and its tags. */
export interface DocComment {
  readonly text: string
  readonly parameters: ReadonlyMap<string, string>
  readonly throws: readonly string[]
  /** Whether it has `@internal`: it is no part of the documentation for users. */
  readonly isInternal: boolean
}

/** Parses the text between `/*` and the end of a JSDoc comment. */
export function parseDocComment(comment: string): DocComment {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*+ ?/, '').trimEnd())
  const [text = '', ...tags] = lines.join('\n').split(/(?:^|\s)@(?=(?:param|throws|returns|see|internal)\b)/)
  const read = (name: string) =>
    tags
      .filter((tag) => tag.startsWith(name))
      .map((tag) => tag.slice(name.length).trim().replaceAll(/\s+/g, ' '))
  const parameters = read('param').map((tag) => {
    const [name = '', ...words] = tag.split(' ')
    return [name, capitalize(words.join(' '))] as const
  })
  return {
    // One line per paragraph and list item, however the comment is wrapped.
    text: text
      .trim()
      .replaceAll(/(?<!\n)\n(?!\n|- )/g, ' ')
      .replaceAll(/\{@link (\w+)\}/g, '`$1`'),
    parameters: new Map(parameters),
    throws: read('throws').map((tag) => tag.replace(/^\w+/, '`$&`')),
    isInternal: tags.some((tag) => tag.startsWith('internal')),
  }
}

/** Puts paragraphs and list items into one line, as a cell of a table needs it. */
export function toTableCell(text: string): string {
  return text
    .replaceAll(/\n+- /g, '<br>• ')
    .replaceAll(/\n{2,}/g, '<br>')
    .replaceAll(/\s+/g, ' ')
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
