import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCsvCell } from '../../../src/core/text/csv-cell.ts'

/** Returns the text of a cell. */
function readCell(cell: string): string {
  expect(cell).toMatch(/^"(?:[^"]|"")*"$/)
  return cell.slice(1, -1).replaceAll('""', '"')
}

/** Text with many of the characters that matter. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'=+-@\t\r\n \'"“‘`＝＋－＠,;a0\u00a0\u200b\ufeff'),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''))

describe('formatCsvCell', () => {
  it.each(
    ['=', '+', '-', '@', '＝', '＋', '－', '＠'].flatMap((sign) => [
      `${sign}1+1`,
      ` ${sign}1+1`,
      `\u00a0\u200b${sign}1+1`,
      `"${sign}1+1"`,
      `'${sign}1+1`,
      `\t${sign}1+1`,
      `\r\n${sign}1+1`,
    ]),
  )('puts an apostrophe before %j', (text) => {
    expect(readCell(formatCsvCell(text))).toBe(`'${text.replaceAll('\r\n', '\n')}`)
  })

  it.each(['\tx', '\rx', '\nx', ' \nx'])(
    'puts an apostrophe before %j, because spreadsheets drop what it begins with',
    (text) => {
      expect(readCell(formatCsvCell(text))).toBe(`'${text.replace('\r', '\n')}`)
    },
  )

  it.each(['', 'a=1', '1-1', "'tis late", '"Yes", he said', '|a|', '(=1)', '#1'])(
    'does not change %j',
    (text) => {
      expect(readCell(formatCsvCell(text))).toBe(text)
    },
  )

  it('contains no control characters and no half characters', () => {
    expect(formatCsvCell('\u001b[31m\u009b\u0000\ud800')).toBe('"\\x1b[31m\\x9b\\x00\ufffd"')
  })

  it('begins no cell with a formula, and can be undone', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const shown = readCell(formatCsvCell(text))
        expect(shown).not.toMatch(/^[\s\p{Cf}"]*[=+\-@＝＋－＠]/u)
        expect(shown).not.toMatch(/^[\t\r\n]/)
        const expected = text
          .toWellFormed()
          .replace(/\r\n?/g, '\n')
          .replace(
            /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
            (it) => `\\x${Buffer.from(it, 'latin1').toString('hex')}`,
          )
        // An apostrophe was added exactly where the text without it would get one.
        const isEscaped = shown.startsWith("'") && formatCsvCell(shown.slice(1)) === formatCsvCell(text)
        expect(isEscaped ? shown.slice(1) : shown).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })
})
