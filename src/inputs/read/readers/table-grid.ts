/** Where a cell is placed in its row. */
export interface CellPlace {
  /** The number of columns that the cell covers, or that are repeated. @default 1 */
  readonly columns?: number | undefined
  /** The number of rows that the cell covers; 0 for all rows up to the end of the group. @default 1 */
  readonly rows?: number | undefined
  /** The column from 0, if the format says it. @default the next free column */
  readonly column?: number | undefined
}

/** Assigns the cells of a table to columns, so that each is under its heading. */
export interface TableGrid {
  startRow(): void
  /** Ends the effect of cells that cover more rows than their group of rows has. */
  startRowGroup(): void
  /** Returns the column of the next cell, from 0. */
  placeCell(place: CellPlace): number
}

/** Returns the grid of one table. */
export function createTableGrid(): TableGrid {
  // For each column, the last row that a cell from a row above covers.
  const coveredUntil: number[] = []
  let [row, next] = [-1, 0]
  return {
    startRow() {
      row++
      next = 0
    },
    startRowGroup() {
      coveredUntil.length = 0
    },
    placeCell({ columns = 1, rows = 1, column }) {
      const width = clamp(columns, 1, maxColumns)
      if (column !== undefined) next = column
      else while ((coveredUntil[next] ?? -1) >= row) next++
      const start = next
      next += width
      if (rows !== 1) {
        const lastRow = rows === 0 ? Number.POSITIVE_INFINITY : row + clamp(rows, 1, maxRows) - 1
        for (let n = start; n < Math.min(next, maxCoveredColumns); n++) coveredUntil[n] = lastRow
      }
      return start
    },
  }
}

/** Limits of HTML for the span of a cell. */
const [maxColumns, maxRows] = [1000, 65_534]

/** Maximum columns in which cells can cover several rows, so that the time for a row is limited. */
const maxCoveredColumns = 256

/** Returns a whole number within the limits; the lower limit for anything that is not a number. */
function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value) || least))
}
