import { formatNumber, plainNumber } from './number-format.ts'

type Attributes = Readonly<Record<string, string>>

/**
 * Returns the value of a cell that has no text: its stored value, or its formula if it has none because no
 * spreadsheet program has opened it yet.
 */
export function formatCellValue(attributes: Attributes): string {
  const type = attributes['office:value-type'] ?? ''
  const value = attributes[valueAttributes.get(type) ?? 'office:value'] ?? ''
  if (type === 'percentage') return formatNumber(value, { kind: 'percent' })
  if (type === 'currency') return `${formatNumber(value, plainNumber)} ${attributes['office:currency'] ?? ''}`
  if (type === 'boolean') return value.toUpperCase()
  if (type === 'date') return value.replace(/T00:00(?::00)?(?:\.0+)?$/, '').replace('T', ' ')
  if (type === 'time') return formatTime(value)
  if (value !== '') return formatNumber(value, plainNumber)
  const formula = attributes['table:formula'] ?? ''
  return formula === '' || type === 'string' ? '' : `=${cleanFormula(formula)}`
}

const valueAttributes: ReadonlyMap<string, string> = new Map([
  ['boolean', 'office:boolean-value'],
  ['date', 'office:date-value'],
  ['time', 'office:time-value'],
  ['string', 'office:string-value'],
])

/**
 * Returns the text that a cell should show: some programs write all stored digits of a number, or `####` for a
 * value that does not fit into its column.
 */
export function cleanCellText(words: string, attributes: Attributes): string {
  const type = attributes['office:value-type'] ?? 'string'
  if (type !== 'string' && /^#{3,}$/.test(words)) return formatCellValue(attributes) || words
  return type === 'float' && longNumber.test(words) ? formatNumber(words.trim(), plainNumber) : words
}

const longNumber = /^\s*-?\d{0,15}\.\d{12,30}(?:E[-+]?\d{1,3})?\s*$/i

/** Returns a duration such as `PT26H30M00S` as `26:30:00`. */
function formatTime(value: string): string {
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^(-?)P(?:0D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?$/.exec(value) ?? []
  if (sign === undefined) return value
  return `${sign}${hours.padStart(2, '0')}:${minutes.padStart(2, '0')}:${seconds.padStart(2, '0')}`
}

/** Returns `SUM(A1:A2)` for `of:=SUM([.A1:.A2])`. */
function cleanFormula(formula: string): string {
  return formula
    .slice(0, maxFormulaChars)
    .replace(/^(?:\w{1,20}:)?=/, '')
    .replace(/\[([^[\]]*)\]/g, (_, reference: string) => reference.replace(/(^|:)\./g, '$1'))
}

/** Maximum characters of a formula that are shown. */
const maxFormulaChars = 8192
