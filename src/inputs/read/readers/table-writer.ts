import type { CellPiece, NestedRow } from './table-cell.ts'
import { type CellPlace, createTableGrid, type TableGrid } from './table-grid.ts'
import { addToRow, createTableRow, formatRow, isLongLayout, type TableRow } from './table-row.ts'

/** The methods of a text builder that build tables. */
export interface TableMethods {
  startTable(): void
  endTable(): void
  /** Starts a group of rows, such as the head of a table. */
  startRowGroup(): void
  /** Starts a row. @param repeated the number of equal rows */
  startRow(repeated?: number): void
  /** Ends a row. It becomes one line, with its cells under their headings; an empty row is not shown. */
  endRow(): void
  /** Starts a cell. @param place `isRepeated` if the cell does not cover its columns but is in each of them */
  startCell(place?: CellPlace & { readonly isRepeated?: boolean }): void
  endCell(): void
}

/** Receives complete rows, and the pieces of a layout. */
type AddPiece = (piece: CellPiece) => void

interface Table {
  readonly grid: TableGrid
  row: TableRow | undefined
  /** The most cells that are shown in a row. */
  widest: number
  /** Whether the document has only the row, without a table around it. */
  readonly isImplicit: boolean
}

/** Maximum number of consecutive empty cells that are shown, unless the table is wider; more are a gap. */
const minShownEmptyCells = 20

/** Maximum number of equal rows that are shown. */
const maxRepeatedRows = 100

/**
 * Returns the methods that build tables, and a function that adds text to the open cell; that function returns
 * false if no cell is open. A row is held back until it is complete. If it turns out to be the layout of a page,
 * its text goes to the target piece by piece, and so does the text of the rows around it.
 */
export function createTableWriter(addToText: AddPiece): TableMethods & {
  addToCell(piece: CellPiece): boolean
} {
  const tables: Table[] = []
  const openRows: TableRow[] = []
  const writeAsLayout = (...inner: TableRow[]) => {
    // The rows around a layout are layout as well.
    const start = openRows.findLastIndex(({ isLayout }) => isLayout) + 1
    for (const row of [...openRows.slice(start), ...inner]) writeLayoutRow(row, addToText)
  }

  const addToCell = (piece: CellPiece): boolean => {
    const row = openRows.at(-1)
    if (row === undefined || row.isLayout) return false
    addToRow(row, piece)
    if (isLongLayout(row)) writeAsLayout()
    return true
  }
  const endCell = () => {
    const row = tables.at(-1)?.row
    if (!row?.isCellOpen) return
    row.isCellOpen = false
    openRows.pop()
  }
  const endRow = () => {
    endCell()
    const table = tables.at(-1)
    if (table?.row === undefined) return
    const { row } = table
    table.row = undefined
    if (table.isImplicit) tables.pop()
    if (row.isLayout) {
      addToText('b2')
      return
    }
    const formatted = formatRow(row, Math.max(table.widest, minShownEmptyCells))
    if (formatted?.isLayout) writeAsLayout(row)
    else if (formatted !== undefined) {
      table.widest = Math.max(table.widest, formatted.filled)
      for (const piece of repeatRow(formatted, row.repeated)) addToCell(piece) || addToText(piece)
    }
  }
  const startRow = (repeated = 1) => {
    endRow()
    const table = tables.at(-1) ?? createTable(true)
    if (tables.length === 0) tables.push(table)
    table.grid.startRow()
    table.row = createTableRow(repeated)
  }
  return {
    addToCell,
    startTable: () => void tables.push(createTable(false)),
    endTable() {
      endRow()
      tables.pop()
    },
    startRowGroup() {
      endRow()
      tables.at(-1)?.grid.startRowGroup()
    },
    startRow,
    endRow,
    startCell({ isRepeated = false, ...place } = {}) {
      endCell()
      if (tables.length === 0) {
        addToText('w ')
        return
      }
      if (tables.at(-1)?.row === undefined) startRow()
      const { grid, row } = tables.at(-1) as Table & { row: TableRow }
      const column = grid.placeCell(place)
      row.cells.push({ column, repeated: isRepeated ? (place.columns ?? 1) : 1, pieces: [] })
      row.isCellOpen = true
      openRows.push(row)
      if (row.isLayout) addToText('b2')
    },
    endCell,
  }
}

/** Returns the lines of equal rows: up to a limit all of them, then a line with the number of the others. */
function repeatRow({ line, inline }: NestedRow, repeated: number): readonly NestedRow[] {
  const lines = Array.from({ length: Math.min(repeated, maxRepeatedRows) }, () => ({ line, inline }))
  if (repeated <= maxRepeatedRows) return lines
  const rest = `[${repeated - maxRepeatedRows} more rows like this one]`
  return [...lines, { line: rest, inline: rest }]
}

function createTable(isImplicit: boolean): Table {
  return { grid: createTableGrid(), row: undefined, widest: 0, isImplicit }
}

/** Writes the text of a row as paragraphs, without holding back what follows. */
function writeLayoutRow(row: TableRow, addToText: AddPiece): void {
  row.isLayout = true
  for (const { pieces } of row.cells) {
    addToText('b2')
    for (const piece of pieces) addToText(piece)
    pieces.length = 0
  }
}
