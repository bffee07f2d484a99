import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import type { FormatName } from '../../../../src/inputs/read/readers/document-formats.ts'
import {
  type CellSpec,
  type TableSpec,
  writeDocxTable,
  writeHtmlTable,
  writeOdsTable,
  writeOdtTable,
  writePptxTable,
  writeXlsxTable,
} from '../../../support/table-documents.ts'

const writers: readonly (readonly [string, FormatName, (table: TableSpec) => Buffer])[] = [
  ['XLSX', 'xlsx', writeXlsxTable],
  ['ODS', 'odf', writeOdsTable],
  ['ODT', 'odf', writeOdtTable],
  ['DOCX', 'docx', writeDocxTable],
  ['HTML', 'html', writeHtmlTable],
  ['PPTX', 'pptx', writePptxTable],
]

const textOf = async (format: FormatName, bytes: Buffer) => {
  const result = await convertDocument({ format, pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}

const cell = (...paragraphs: string[]): CellSpec => ({ paragraphs })
const row = (...texts: string[]) => texts.map((text) => cell(text))
const long = 'A sentence that is long enough for the paragraph to fill several lines on a page of its own. '

const tables: readonly (readonly [string, TableSpec, readonly string[]])[] = [
  [
    'empty cells at the beginning, in the middle and at the end',
    [
      row('', 'Summer', 'Winter'),
      row('', '', '120'),
      row('Norvik', '', '7'),
      row('Lille', '', ''),
      row('', '', ''),
    ],
    [' | Summer | Winter', ' |  | 120', 'Norvik |  | 7', 'Lille'],
  ],
  [
    'cells that cover several columns',
    [
      [cell('Route'), { ...cell('Passengers'), columns: 2 }, undefined, cell('Delay')],
      row('Norvik', '312', '120', '11'),
      [{ ...cell('closed'), columns: 3 }, undefined, undefined, cell('0')],
    ],
    ['Route | Passengers |  | Delay', 'Norvik | 312 | 120 | 11', 'closed |  |  | 0'],
  ],
  [
    'cells that cover several rows',
    [
      [{ ...cell('Norvik'), rows: 3 }, cell('Summer'), { ...cell('312'), rows: 2 }],
      [undefined, cell('Autumn'), undefined],
      [undefined, cell('Winter'), cell('120')],
      row('Lille', 'Summer', '4'),
    ],
    ['Norvik | Summer | 312', ' | Autumn', ' | Winter | 120', 'Lille | Summer | 4'],
  ],
  [
    'cells that cover columns and rows',
    [
      [{ ...cell('corner'), columns: 2, rows: 2 }, undefined, cell('a')],
      [undefined, undefined, cell('b')],
      row('c', 'd', 'e'),
    ],
    ['corner |  | a', ' |  | b', 'c | d | e'],
  ],
  [
    'several paragraphs and line breaks in a cell',
    [
      [cell('Name'), cell('Address'), cell('Notes')],
      [cell('Anna', 'Bern'), cell('1 Quay\n2 Pier', 'Norvik'), cell('late')],
      [cell(''), cell(long, long, long), cell('')],
    ],
    [
      'Name | Address | Notes',
      'Anna Bern | 1 Quay 2 Pier Norvik | late',
      ` | ${(long + long + long).trim()}`,
    ],
  ],
  [
    'equal cells and equal rows',
    [row('same', 'same', 'same', 'next'), row('twice', ''), row('twice', ''), row('', '', '', 'x')],
    ['same | same | same | next', 'twice', 'twice', ' |  |  | x'],
  ],
  [
    'signs that look like the border of a cell, or like a heading',
    [row('#', 'Type'), row('# 1', 'text | number'), row('|', 'a|b || c')],
    ['# | Type', '# 1 | text \\| number', '\\| | a|b || c'],
  ],
  [
    'more than twenty empty cells under headings',
    [
      row(...Array.from({ length: 26 }, (_, n) => `h${n}`)),
      row('first', ...Array<string>(24).fill(''), 'last'),
    ],
    [Array.from({ length: 26 }, (_, n) => `h${n}`).join(' | '), `first${' | '.repeat(25)}last`],
  ],
  [
    'numbers, percentages, dates, times and durations',
    [
      row('sum', 'share', 'day', 'time', 'duration'),
      [
        stored(
          '0.3',
          '0.30000000000000004',
          undefined,
          'office:value-type="float" office:value="0.30000000000000004"',
        ),
        stored('25.5%', '0.255', '0.0%', 'office:value-type="percentage" office:value="0.255"'),
        stored(
          '2015-03-01',
          '42064',
          'dd.mm.yyyy',
          'office:value-type="date" office:date-value="2015-03-01"',
        ),
        stored(
          '14:30:00',
          '0.604166666666667',
          'h:mm',
          'office:value-type="time" office:time-value="PT14H30M00S"',
        ),
        stored(
          '26:30:00',
          '1.10416666666667',
          '[h]:mm:ss',
          'office:value-type="time" office:time-value="PT26H30M00S"',
        ),
      ],
    ],
    ['sum | share | day | time | duration', '0.3 | 25.5% | 2015-03-01 | 14:30:00 | 26:30:00'],
  ],
]

function stored(text: string, value: string, format: string | undefined, ods: string): CellSpec {
  return { ...cell(text), stored: { value, ods, ...(format !== undefined && { format }) } }
}

describe.each(tables)('a table with %s', (_, table, lines) => {
  it.each(writers)(
    'has one line per row, with the cells under their headings: %s',
    async (_name, format, write) => {
      // The text around the table is long enough for a document that may consist of images.
      const padding = 'x'.repeat(64)
      const text = await textOf(format, write([...table, row(padding)]))
      const expected = ['before', ...lines, padding, 'after'].join('\n')
      expect(text.replace(/^## .*\n/, '').replace(/\n\n+/g, '\n')).toBe(expected)
    },
  )
})
