import { checkTextLength } from './reader-limits.ts'
import {
  type CellPiece,
  isHeadingMark,
  joinCellPieces,
  joinCells,
  type NestedRow,
  type TableCell,
} from './table-cell.ts'

/** A row that is not complete yet. */
export interface TableRow {
  /** The number of equal rows. */
  readonly repeated: number
  readonly cells: TableCell[]
  isCellOpen: boolean
  chars: number
  /** Whether a cell has a heading or a table in it. */
  hasStructure: boolean
  /** Whether a cell has several lines. */
  hasLines: boolean
  /** Whether the row is written as paragraphs, because its table only arranges a page. */
  isLayout: boolean
}

/** Returns an empty row. */
export function createTableRow(repeated: number): TableRow {
  return {
    repeated,
    cells: [],
    isCellOpen: false,
    chars: 0,
    hasStructure: false,
    hasLines: false,
    isLayout: false,
  }
}

/** Characters from which a row with headings or tables in its cells is taken for the layout of a page. */
const minLayoutChars = 2000

/** Characters from which several lines in the only cell of a row are taken for paragraphs of a page. */
const minBoxChars = 200

/** Adds text to the open cell of a row. @throws UnreadableError for more text than any model can read */
export function addToRow(row: TableRow, piece: CellPiece): void {
  const pieces = row.cells.at(-1)?.pieces ?? []
  const last = pieces.at(-1)
  if (typeof piece === 'string' && piece.startsWith('b')) {
    // Breaks do not accumulate, so that they take no memory.
    if (last === undefined) return
    if (!isBreak(last)) pieces.push(piece)
    else if (piece > last) pieces[pieces.length - 1] = piece
    return
  }
  const chars = typeof piece === 'string' ? piece.slice(1).trim().length : piece.line.length
  if (chars === 0 && (last === undefined || isBreak(last))) return
  if (isBreak(last)) row.hasLines = true
  if (typeof piece !== 'string' || (piece.startsWith('m') && isHeadingMark(piece.slice(1))))
    row.hasStructure = true
  row.chars += chars
  checkTextLength(row.chars)
  pieces.push(piece)
}

/** Whether a row is certainly layout, although it is not complete. */
export function isLongLayout(row: TableRow): boolean {
  return row.hasStructure && row.chars > minLayoutChars
}

/** A complete row. */
export interface FormattedRow extends NestedRow {
  /** The number of cells with text. */
  readonly filled: number
  readonly isLayout: boolean
}

/**
 * Returns a complete row on one line, or undefined if it has no text. A row is layout if it has text in one cell
 * only, with headings or tables; or if it consists of one cell with several long lines.
 * @param maxEmptyCells the most consecutive empty cells that are shown
 * @throws UnreadableError for more text than any model can read
 */
export function formatRow(row: TableRow, maxEmptyCells: number): FormattedRow | undefined {
  const cells: { column: number; text: string }[] = []
  let [filled, chars] = [0, 0]
  for (const { column, repeated, pieces } of row.cells) {
    const text = joinCellPieces(pieces)
    if (text === '') continue
    filled++
    const copies = Math.min(repeated, maxRepeatedCells)
    chars += (text.length + 3) * copies
    checkTextLength(chars)
    for (let n = 0; n < copies; n++) cells.push({ column: column + n, text })
  }
  if (filled === 0) return undefined
  const isBox = row.cells.length === 1 && row.hasLines && row.chars > minBoxChars
  const isLayout = filled === 1 && (row.hasStructure || isBox)
  const line = joinCells(cells, maxEmptyCells)
  return { line, inline: cells.map(({ text }) => text).join(', '), filled: cells.length, isLayout }
}

/** Maximum number of equal cells that are shown. */
const maxRepeatedCells = 1000

function isBreak(piece: CellPiece | undefined): piece is string {
  return typeof piece === 'string' && piece.startsWith('b')
}
