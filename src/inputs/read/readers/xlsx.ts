import type { MarkedText } from '../../../core/document/mark.ts'
import { readRelations } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder } from './text-builder.ts'
import { openZip, type Zip } from './zip.ts'

/** Maximum number of consecutive empty cells that are shown; more are a gap in the sheet. */
const maxEmptyCells = 20

/**
 * Returns the text of a workbook's visible sheets, row by row: the values of the cells, dates as dates,
 * formulas as their results.
 */
export async function extractXlsxText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const workbook = 'xl/workbook.xml'
  const sheets: { name: string; id: string }[] = []
  let from1904 = false
  await parseXml(zip.streamPart(workbook), {
    onOpen(name, { name: title = '', 'r:id': id, state = 'visible', date1904 }) {
      if (name === 'workbookPr') from1904 = date1904 === '1' || date1904 === 'true'
      if (name === 'sheet' && id !== undefined && state === 'visible') sheets.push({ name: title, id })
    },
  })
  const relations = await readRelations(zip, workbook)
  const strings = await readSharedStrings(zip)
  const isDate = await readDateStyles(zip)
  const text = createTextBuilder()

  for (const { name: title, id } of sheets) {
    const part = relations.get(id)?.target
    if (part === undefined || !zip.has(part)) continue
    text.addBreak(2)
    text.markPosition('sheet', title)
    text.addMark('## ')
    text.addWords(title)
    let [row, column, filled, type, style, value, inValue] = [0, 0, 0, '', '', '', false]
    await parseXml(zip.streamPart(part), {
      onOpen(name, attributes) {
        if (name === 'row') {
          text.startRow()
          row = Number(attributes['r']) || row + 1
          text.markPosition('row', String(row))
          column = 0
          filled = 0
        }
        if (name === 'c') {
          column = parseColumn(attributes['r']) ?? column + 1
          type = attributes['t'] ?? 'n'
          style = attributes['s'] ?? ''
          value = ''
        }
        if (name === 'v' || name === 't') inValue = true
      },
      onText(words) {
        if (inValue) value += words
      },
      onClose(name) {
        if (name === 'v' || name === 't') inValue = false
        if (name !== 'c' || value === '') return
        const shown = formatCell(value, type, isDate.has(style), { strings, from1904 }).trim()
        if (shown === '') return
        const empty = Math.min(column - filled - 1, maxEmptyCells)
        for (let n = filled === 0 ? 1 : 0; n <= empty; n++) text.startCell()
        text.addWords(shown)
        filled = column
      },
    })
  }
  return text.toMarkedText()
}

/** Returns the strings that the sheets of a workbook share, without Japanese phonetic guides. */
async function readSharedStrings(zip: Zip): Promise<readonly string[]> {
  const part = 'xl/sharedStrings.xml'
  const strings: string[] = []
  if (!zip.has(part)) return strings
  let [current, inText, phoneticDepth] = ['', false, 0]
  await parseXml(zip.streamPart(part), {
    onOpen(name) {
      if (name === 'si') current = ''
      if (name === 't') inText = true
      if (name === 'rPh') phoneticDepth++
    },
    onText(text) {
      if (inText && phoneticDepth === 0) current += text
    },
    onClose(name) {
      if (name === 't') inText = false
      if (name === 'rPh') phoneticDepth--
      if (name === 'si') strings.push(current)
    },
  })
  return strings
}

/** Returns the numbers of the styles whose cells show a date or a time; the values of such cells are days. */
async function readDateStyles(zip: Zip): Promise<ReadonlySet<string>> {
  const part = 'xl/styles.xml'
  const styles = new Set<string>()
  if (!zip.has(part)) return styles
  const formats = new Set<string>(builtinDateFormats)
  let [inCells, count] = [false, 0]
  await parseXml(zip.streamPart(part), {
    onOpen(name, { numFmtId = '', formatCode = '' }) {
      // Without quoted text, escapes and colours, only date formats have these letters.
      const code = formatCode.slice(0, maxFormatChars).replace(/"[^"]*"|\\.|\[[^\]]*\]|General/gi, '')
      if (name === 'numFmt' && /[ymdhs]/i.test(code)) formats.add(numFmtId)
      if (name === 'cellXfs') inCells = true
      if (name === 'xf' && inCells) {
        if (formats.has(numFmtId)) styles.add(String(count))
        count++
      }
    },
    onClose(name) {
      if (name === 'cellXfs') inCells = false
    },
  })
  return styles
}

/** Maximum characters of a format that are examined; Excel allows 255. */
const maxFormatChars = 1000

/** Numbers of the built-in formats for dates and times. */
const builtinDateFormats = ['14', '15', '16', '17', '18', '19', '20', '21', '22', '45', '46', '47']

function formatCell(
  value: string,
  type: string,
  isDate: boolean,
  { strings, from1904 }: { readonly strings: readonly string[]; readonly from1904: boolean },
): string {
  if (type === 's') return strings[Number(value)] ?? ''
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE'
  if (type !== 'n') return value
  return isDate ? formatDate(Number(value), from1904) : value
}

/** Formats days since the end of 1899, or since 1904 in a workbook of an old Mac. */
function formatDate(days: number, from1904: boolean): string {
  if (!(days >= 0 && days < 2_958_466)) return String(days)
  const iso = new Date(Math.round((days + (from1904 ? 1462 : 0) - 25_569) * 86_400) * 1000).toISOString()
  if (days < 1) return iso.slice(11, 19)
  return Number.isInteger(days) ? iso.slice(0, 10) : iso.slice(0, 19).replace('T', ' ')
}

/** Returns the column number of a cell reference: 2 for `B7`. */
function parseColumn(reference = ''): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference)?.[0]
  if (letters === undefined) return undefined
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0)
}
