import { type NumberFormat, parseNumberFormat, plainNumber } from './number-format.ts'
import { parseXml } from './parse-markup.ts'
import type { Zip } from './zip.ts'

/** Returns the number formats of the cell styles of a workbook, by the number of the style. */
export async function readNumberFormats(zip: Zip, part: string): Promise<(style: string) => NumberFormat> {
  const formats = new Map<string, NumberFormat>(builtinFormats)
  const styles: NumberFormat[] = []
  let inCells = false
  if (zip.has(part))
    await parseXml(zip.streamPart(part), {
      onOpen(name, { numFmtId = '', formatCode = '' }) {
        if (name === 'numFmt') formats.set(numFmtId, parseNumberFormat(formatCode))
        if (name === 'cellXfs') inCells = true
        if (name === 'xf' && inCells) styles.push(formats.get(numFmtId) ?? plainNumber)
      },
      onClose(name) {
        if (name === 'cellXfs') inCells = false
      },
    })
  return (style) => styles[Number(style)] ?? plainNumber
}

/** The built-in formats for percentages, dates and times, by number. Some depend on the language. */
const builtinFormats: readonly (readonly [string, NumberFormat])[] = [
  ...['9', '10'].map((id) => [id, { kind: 'percent' }] as const),
  ...['14', '15', '16', '17', '22', '27', '28', '29', '30', '31', '36'].map(
    (id) => [id, { kind: 'date' }] as const,
  ),
  ...['50', '51', '52', '53', '54', '55', '56', '57', '58'].map((id) => [id, { kind: 'date' }] as const),
  ...['18', '19', '20', '21', '32', '33', '34', '35', '45', '47'].map(
    (id) => [id, { kind: 'time' }] as const,
  ),
  ['46', parseNumberFormat('[h]:mm:ss')],
]
