/**
 * A part of a cell: a letter that says which method of the text builder added it (`w`ords, `v`erbatim, `m`ark,
 * `b`reak), and its text; or a row of a table in the cell. Strings take little memory.
 */
export type CellPiece = string | NestedRow

export interface NestedRow {
  /** The row on a separate line. */
  readonly line: string
  /** The row as part of a line. */
  readonly inline: string
}

/** A cell of a row that is not complete yet. */
export interface TableCell {
  /** From 0. */
  readonly column: number
  /** The number of columns with the same content. */
  readonly repeated: number
  readonly pieces: CellPiece[]
}

/** Returns the content of a cell on one line: breaks become spaces, and headings lose their marks. */
export function joinCellPieces(pieces: readonly CellPiece[]): string {
  const parts: string[] = []
  let [isAfterRow, isAfterMark] = [false, false]
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      parts.push(isAfterRow ? '; ' : ' ', piece.inline)
      isAfterRow = true
      continue
    }
    const [kind, text] = [piece[0], piece.slice(1)]
    if (kind === 'b') {
      if (!isAfterRow) parts.push(' ')
      continue
    }
    if (kind === 'm' && isHeadingMark(text)) continue
    if (isAfterRow && text.trim() === '') continue
    if (isAfterRow) parts.push(' ')
    parts.push(isAfterMark ? text.trimStart() : text)
    isAfterRow = false
    isAfterMark = kind === 'm'
  }
  const line = parts.join('').replace(/[ \t\r\n\f]+/g, ' ')
  return line.replace(/^ | $/g, '')
}

/** Whether a mark begins a heading, such as `## `. */
export function isHeadingMark(mark: string): boolean {
  return /^#{1,6} $/.test(mark)
}

/** Returns a row on one line, with empty cells before and between its cells but not after them. */
export function joinCells(
  cells: readonly { readonly column: number; readonly text: string }[],
  maxEmptyCells: number,
): string {
  const parts: string[] = []
  let nextColumn = 0
  for (const { column, text } of cells) {
    const empty = Math.min(column - nextColumn, maxEmptyCells)
    parts.push(' | '.repeat(Math.max(0, empty) + (parts.length === 0 ? 0 : 1)), escapeSeparators(text))
    nextColumn = column + 1
  }
  return parts.join('')
}

/** Marks what would look like the border between two cells. */
function escapeSeparators(text: string): string {
  return text.includes('|') ? text.replace(/(^| )\|(?= |$)/g, '$1\\|') : text
}
