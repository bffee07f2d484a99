import { type CellPosition, moveFormula, parsePosition } from './cell-position.ts'
import { formatNumber, type NumberFormat } from './number-format.ts'
import { parseXml } from './parse-markup.ts'
import type { TextBuilder } from './text-builder.ts'
import { decodeEscapes } from './xlsx-strings.ts'
import type { Zip } from './zip.ts'

/** What the sheets of a workbook share. */
export interface WorkbookContext {
  readonly strings: readonly string[]
  readonly getFormat: (style: string) => NumberFormat
  /** Whether days are counted since 1904. */
  readonly from1904: boolean
}

interface Cell extends CellPosition {
  readonly type: string
  readonly style: string
  value: string
  formula: string
  /** The number of the formula that the cell shares with others. */
  shared: string | undefined
}

/**
 * Adds the rows of a sheet: the values of its cells, or their formulas if the workbook holds no results because
 * no spreadsheet program has opened it yet.
 */
export async function addSheetRows(
  zip: Zip,
  part: string,
  text: TextBuilder,
  context: WorkbookContext,
): Promise<void> {
  let [inside, phoneticDepth, nextColumn, row] = ['', 0, 0, -1]
  let cell: Cell | undefined
  const formulas = createSharedFormulas()
  text.startTable()
  await parseXml(zip.streamPart(part), {
    onOpen(name, attributes) {
      if (name === 'row') {
        text.startRow()
        row = (Number(attributes['r']) || row + 2) - 1
        text.markPosition('row', String(row + 1))
        nextColumn = 0
      }
      if (name === 'c') {
        cell = createCell(attributes, { row, column: nextColumn })
        nextColumn = cell.column + 1
      }
      if (cell === undefined) return
      if (name === 'rPh') phoneticDepth++
      if (name === 'f') {
        cell.formula = ''
        cell.shared = attributes['t'] === 'shared' ? attributes['si'] : undefined
      }
      if (name === 'v' || name === 't' || name === 'f') inside = name
    },
    onText(words) {
      if (cell === undefined || phoneticDepth > 0) return
      if (inside === 'f') cell.formula += words
      else if (inside !== '') cell.value += words
    },
    onClose(name) {
      if (name === inside) inside = ''
      if (name === 'row') text.endRow()
      if (cell === undefined) return
      if (name === 'rPh') phoneticDepth--
      if (name !== 'c') return
      const shown = formatCell(cell, formulas.find(cell), context)
      if (shown !== '') {
        text.startCell({ column: cell.column })
        text.addWords(shown)
        text.endCell()
      }
      cell = undefined
    },
  })
  text.endTable()
}

function createCell(attributes: Readonly<Record<string, string>>, next: CellPosition): Cell {
  const { r: reference, t: type = 'n', s: style = '0' } = attributes
  const { column } = parsePosition(reference) ?? next
  return { row: next.row, column, type, style, value: '', formula: '', shared: undefined }
}

/** Finds the formulas of cells. A formula that several cells share is stored in the first of them. */
function createSharedFormulas(): { find(cell: Cell): string } {
  const firstCells = new Map<string, Cell>()
  return {
    find(cell) {
      const { shared, formula } = cell
      if (shared === undefined) return formula
      if (formula !== '') firstCells.set(shared, cell)
      const first = firstCells.get(shared)
      // Only a formula without a value is shown.
      return first === undefined || cell.value !== '' ? formula : moveFormula(first.formula, first, cell)
    },
  }
}

function formatCell(
  { value, type, style }: Cell,
  formula: string,
  { strings, getFormat, from1904 }: WorkbookContext,
): string {
  // An empty text can be the result of a formula.
  if (value === '') return formula !== '' && type !== 'str' ? `=${formula}` : ''
  if (type === 's') return (strings[Number(value)] ?? '').trim()
  if (type === 'b') return value === '1' || value === 'true' ? 'TRUE' : 'FALSE'
  if (type === 'n') return formatNumber(value, getFormat(style), from1904)
  return decodeEscapes(value).trim()
}
