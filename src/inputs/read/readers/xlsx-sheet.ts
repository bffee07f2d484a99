import { formatNumber, type NumberFormat } from './number-format.ts'
import { getLocalName, parseXml } from './parse-markup.ts'
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

interface Cell {
  readonly column: number
  readonly type: string
  readonly style: string
  value: string
  formula: string | undefined
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
  let [inside, phoneticDepth, nextColumn] = ['', 0, 0]
  let cell: Cell | undefined
  // A formula that several cells share is stored in the first of them.
  const sharedFormulas = new Map<string, string>()
  let shared = ''
  text.startTable()
  await parseXml(zip.streamPart(part), {
    onOpen(written, attributes) {
      const name = getLocalName(written)
      if (name === 'row') {
        text.startRow()
        nextColumn = 0
      }
      if (name === 'c') {
        const column = parseColumn(attributes['r']) ?? nextColumn
        nextColumn = column + 1
        const { t: type = 'n', s: style = '0' } = attributes
        cell = { column, type, style, value: '', formula: undefined }
      }
      if (cell === undefined) return
      if (name === 'rPh') phoneticDepth++
      if (name === 'f') {
        cell.formula = ''
        shared = attributes['t'] === 'shared' ? (attributes['si'] ?? '') : ''
      }
      if (name === 'v' || name === 't' || name === 'f') inside = name
    },
    onText(words) {
      if (cell === undefined || phoneticDepth > 0) return
      if (inside === 'f') cell.formula += words
      else if (inside !== '') cell.value += words
    },
    onClose(written) {
      const name = getLocalName(written)
      if (name === inside) inside = ''
      if (name === 'row') text.endRow()
      if (cell === undefined) return
      if (name === 'rPh') phoneticDepth--
      if (name === 'f' && shared !== '') {
        if (cell.formula !== '') sharedFormulas.set(shared, cell.formula ?? '')
        cell.formula = sharedFormulas.get(shared) ?? ''
      }
      if (name !== 'c') return
      const shown = formatCell(cell, context)
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

function formatCell(
  { value, type, style, formula }: Cell,
  { strings, getFormat, from1904 }: WorkbookContext,
): string {
  // An empty text can be the result of a formula.
  if (value === '') return formula && type !== 'str' ? `=${formula}` : ''
  if (type === 's') return (strings[Number(value)] ?? '').trim()
  if (type === 'b') return value === '1' || value === 'true' ? 'TRUE' : 'FALSE'
  if (type === 'n') return formatNumber(value, getFormat(style), from1904)
  return decodeEscapes(value).trim()
}

/** Returns the column of a cell reference, from 0: 1 for `B7`. */
function parseColumn(reference = ''): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference)?.[0]
  if (letters === undefined) return undefined
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1
}
