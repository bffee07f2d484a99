import { nameColumn } from './cell-position.ts'
import { cleanCellText, formatCellValue } from './odf-cell-value.ts'
import type { TextBuilder } from './text-builder.ts'

/** Reads the tables of an OpenDocument file. */
export interface OdfTables {
  /** Reports the beginning of a tag; ignores tags that are not part of a table. */
  open(name: string, attributes: Readonly<Record<string, string>>): void
  close(name: string): void
  /** Adds text to the open cell, or outside of tables. */
  addWords(words: string): void
  isInCell(): boolean
  /** Returns the position of the cell in its sheet, such as `B7`. */
  getPosition(): string
}

interface Cell {
  readonly attributes: Readonly<Record<string, string>>
  hasText: boolean
}

/** Returns a reader of tables that adds their rows to a text. @param marksRows whether rows are positions in a sheet */
export function createOdfTables(text: TextBuilder, marksRows: () => boolean = () => false): OdfTables {
  const cells: Cell[] = []
  let [row, nextRow, column, nextColumn] = [0, 0, 0, 0]
  return {
    open(name, attributes) {
      if (name === 'table:table') {
        text.startTable()
        nextRow = 0
      }
      if (name === 'table:table-row') {
        const repeated = parseCount(attributes['table:number-rows-repeated'])
        text.startRow(repeated)
        row = nextRow
        nextRow += repeated
        if (marksRows()) text.markPosition('row', String(row + 1))
        nextColumn = 0
      }
      if (!isCell(name)) return
      // A cell that covers several columns is followed by covered cells, so its width is not needed.
      const columns = parseCount(attributes['table:number-columns-repeated'])
      text.startCell({ columns, isRepeated: true })
      column = nextColumn
      nextColumn += columns
      cells.push({ attributes, hasText: false })
    },
    close(name) {
      if (name === 'table:table-row') text.endRow()
      if (name === 'table:table') text.endTable()
      if (!isCell(name)) return
      const cell = cells.pop()
      if (cell?.hasText === false && name !== coveredCell) text.addWords(formatCellValue(cell.attributes))
      text.endCell()
    },
    addWords(words) {
      const cell = cells.at(-1)
      if (cell !== undefined && words.trim() !== '') cell.hasText = true
      text.addWords(cell === undefined ? words : cleanCellText(words, cell.attributes))
    },
    isInCell: () => cells.length > 0,
    getPosition: () => `${nameColumn(column)}${row + 1}`,
  }
}

/** The tag of a cell that is merged into another. */
export const coveredCell = 'table:covered-table-cell'

function isCell(name: string): boolean {
  return name === 'table:table-cell' || name === coveredCell
}

function parseCount(value = '1'): number {
  return Math.max(1, Number.parseInt(value, 10) || 1)
}
