import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import type { FormatName } from '../../../../src/inputs/read/readers/document-formats.ts'
import { writeOpenDocument, writeRelations, writeWorkbook } from '../../../support/table-documents.ts'
import { createZip, readZip } from '../../../support/zip.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const padding = 'This sentence makes the text long enough for a format that may consist of images only.'

const read = async (format: FormatName, bytes: Buffer) => {
  const result = await convertDocument({ format, pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}
const readXlsx = (...args: Parameters<typeof writeWorkbook>) => read('xlsx', writeWorkbook(...args))
const readOds = (sheets: string, options?: Parameters<typeof writeOpenDocument>[1]) =>
  read('odf', writeOpenDocument(`<office:spreadsheet>${sheets}</office:spreadsheet>`, options))

const xlsxRow = (cells: string) => `<row>${cells}</row>`
const odsTable = (rows: string, attributes = 'table:name="Data"') =>
  `<table:table ${attributes}>${rows}</table:table>`
const odsRow = (cells: string) => `<table:table-row>${cells}</table:table-row>`
const odsCell = (attributes: string, content = '') =>
  `<table:table-cell ${attributes}>${content}</table:table-cell>`
const odsText = (text: string) => odsCell('', `<text:p>${text}</text:p>`)
const odsPadding = odsRow(odsText(padding))

describe('the cells of a workbook', () => {
  const show = async (formats: readonly string[], value: string) => {
    const cells = formats.map((_, n) => `<c s="${n}"><v>${value}</v></c>`).join('')
    const text = await readXlsx({ sheets: { S: xlsxRow(cells) }, formats })
    return text.replace('## S\n', '').split(' | ')
  }

  it.each([
    ['[h]:mm', '1.10416666666667', '26:30'],
    ['[hh]:mm:ss', '0.0625', '01:30:00'],
    ['[H]:MM;@', '4.16666666666667', '100:00'],
    ['[h]\\:mm', '0.999999999999', '24:00'],
    ['[mm]:ss', '0.0625', '90:00'],
    ['[h]', '1.5', '36'],
    ['[s]', '0.001', '86'],
    ['[Red][h]:mm', '1.5', '36:00'],
    ['[h]:mm', '-0.5', '-12:00'],
    ['h:mm', '1.10416666666667', '02:30:00'],
    ['h:mm AM/PM', '0.75', '18:00:00'],
    ['mm:ss', '0.0625', '01:30:00'],
    ['yyyy-mm-dd', '42064', '2015-03-01'],
    ['[$-409]d mmm yy', '42064.5', '2015-03-01 12:00:00'],
    ['mmm', '42064', '2015-03-01'],
    ['dd/mm/yyyy', '1', '1900-01-01'],
    ['0%', '0.07', '7%'],
    ['0.00%;[Red]-0.00%', '-0.125', '-12.5%'],
    ['#,##0.00 "days"', '1234.5', '1234.5'],
    ['0.00E+00', '0.000001', '0.000001'],
    ['General', '0.30000000000000004', '0.3'],
    ['General', '1.1000000000000001', '1.1'],
    ['General', '-3.5999999999999996', '-3.6'],
    ['General', '123456789012345678', '123456789012346000'],
    ['General', '1E-3', '0.001'],
    ['General', '4711', '4711'],
    ['@', 'n/a', 'n/a'],
  ])('a number with the format %s and the value %s is shown as %s', async (format, value, shown) => {
    expect(await show([format], value)).toEqual([shown])
  })

  it('formulas without a stored value are shown, in Excel and OpenDocument', async () => {
    const cells = `<c><f>SUM(A1:A2)</f></c><c><f>1+1</f><v></v></c><c t="str"><f>""</f><v></v></c><c><f>2+2</f><v>4</v></c>`
    expect(await readXlsx({ sheets: { S: xlsxRow(cells) } })).toBe('## S\n=SUM(A1:A2) | =1+1 |  | 4')
    const ods = odsTable(
      odsRow(
        odsCell('table:formula="of:=SUM([.A1:.A2])"') +
          odsCell(`table:formula="of:=1+[$'Other one'.B2]"`) +
          odsCell('table:formula="of:=&quot;&quot;" office:value-type="string"') +
          odsCell('table:formula="of:=2+2" office:value-type="float" office:value="4"'),
      ) + odsPadding,
    )
    expect(await readOds(ods)).toBe(`## Data\n=SUM(A1:A2) | =1+$'Other one'.B2 |  | 4\n${padding}`)
  })

  it('a formula that cells share without a stored value is shown in each', async () => {
    const first =
      '<row r="2"><c r="A2"><f t="shared" si="0" ref="A2:B3">D2*$E$1+LOG10(D$2)&amp;"A1"</f></c></row>'
    const second = '<row r="3"><c r="B3"><f t="shared" si="0"/></c></row>'
    expect(await readXlsx({ sheets: { S: first + second } })).toBe(
      '## S\n=D2*$E$1+LOG10(D$2)&"A1"\n | =E3*$E$1+LOG10(E$2)&"A1"',
    )
  })

  it('days are counted since 1904 if the workbook says so, and its extensions do not change that', async () => {
    const extension =
      '<ext xmlns:x15="http://schemas.microsoft.com/office/spreadsheetml/2010/11/main"><x15:workbookPr/></ext>'
    const bytes = writeWorkbook({ sheets: { S: xlsxRow('<c s="0"><v>1</v></c>') }, formats: ['yyyy-mm-dd'] })
    const parts = await readZip(bytes)
    const workbook = (parts['xl/workbook.xml']?.toString() ?? '')
      .replace('<sheets>', '<workbookPr date1904="1"/><sheets>')
      .replace('</sheets>', `</sheets><extLst>${extension}</extLst>`)
    expect(await read('xlsx', createZip({ ...parts, 'xl/workbook.xml': workbook }))).toBe('## S\n1904-01-02')
  })

  it('escapes of control characters are line breaks, not text', async () => {
    const cells = '<c t="inlineStr"><is><t>one_x000D_\ntwo_x0041_</t></is></c>'
    expect(await readXlsx({ sheets: { S: xlsxRow(cells) } })).toBe('## S\none twoA')
  })

  it('phonetic guides are left out, and runs of text are joined', async () => {
    const cells = '<c t="inlineStr"><is><r><t>東</t></r><r><t>京</t></r><rPh><t>トウキョウ</t></rPh></is></c>'
    expect(await readXlsx({ sheets: { S: xlsxRow(cells) } })).toBe('## S\n東京')
  })

  it('long numbers that a program wrote as text of a number cell have 15 digits', async () => {
    const number = (type: string) =>
      odsCell(`office:value-type="${type}"`, '<text:p>0.30000000000000004</text:p>')
    expect(await readOds(odsTable(odsRow(number('float') + number('string')) + odsPadding))).toContain(
      '\n0.3 | 0.30000000000000004\n',
    )
  })

  it('a value that does not fit into its column is shown', async () => {
    const date = odsCell(
      'office:value-type="date" office:date-value="2015-03-01"',
      '<text:p>#######</text:p>',
    )
    expect(await readOds(odsTable(odsRow(date + odsText('####')) + odsPadding))).toContain(
      '\n2015-03-01 | ####\n',
    )
  })

  it('a row far from the heading does not become a line of thousands of empty cells', async () => {
    const text = await readXlsx({
      sheets: { S: '<row><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row>' },
    })
    expect(text).toBe(`## S\n1${' | '.repeat(21)}2`)
  })

  it('a million equal rows or cells are cut, and the text says so', async () => {
    const rows = `<table:table-row table:number-rows-repeated="1048576">${odsText('x')}</table:table-row>`
    const text = await readOds(odsTable(odsPadding + rows))
    expect(text.match(/^x$/gm)).toHaveLength(100)
    expect(text).toMatch(/\[1048476 more rows like this one\]$/)
    const wide = await readOds(
      odsTable(odsPadding + odsRow(odsCell('table:number-columns-repeated="16384"', '<text:p>x</text:p>'))),
    )
    expect(wide.match(/x/g)?.length).toBeLessThan(1100)
  })
})

describe('hidden sheets', () => {
  const note = '[hidden sheet Secret skipped]'

  it('are left out of a workbook, and named', async () => {
    const sheets = {
      Open: xlsxRow('<c><v>1</v></c>'),
      '!Secret': xlsxRow('<c><v>4711</v></c>'),
      Last: xlsxRow('<c><v>3</v></c>'),
    }
    expect(await readXlsx({ sheets })).toBe(`## Open\n1\n\n${note}\n\n## Last\n3`)
  })

  it('are left out of an OpenDocument spreadsheet, and named', async () => {
    const style = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    const hidden = odsTable(odsRow(odsText('4711')), 'table:name="Secret" table:style-name="h"')
    expect(await readOds(odsTable(odsPadding) + hidden, { styles: style })).toBe(
      `## Data\n${padding}\n\n${note}`,
    )
    expect(await readOds(hidden, { styles: style })).toContain('no_text: all of its text is in hidden sheets')
  })

  it('do not shift the rows of the sheets around them', async () => {
    const bytes = await readFile(join(folder, 'ods-repeat-covered-hidden.ods'))
    expect(await read('odf', bytes)).toBe(
      '## One\nSAME | SAME | SAME | next\nwide |  | third-column\ntwice\ntwice\n\n[hidden sheet Hidden skipped]',
    )
  })

  it('make a workbook unreadable if nothing else has text', async () => {
    const sheets = { Empty: '', '!Secret': xlsxRow('<c><v>4711</v></c>') }
    expect(await readXlsx({ sheets })).toContain('no_text: all of its text is in hidden sheets')
  })
})

describe('comments, text boxes and charts of sheets', () => {
  it('follow the rows of their sheet', async () => {
    const bytes = await readFile(join(folder, 'xlsx-comment-textbox.xlsx'))
    expect(await read('xlsx', bytes)).toBe('## Data\ncell | 0.3\n[Comment on A1: CELL-COMMENT]\n\nTEXT-BOX')
  })

  it('a thread of comments replaces the note for older programs', async () => {
    const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    const text = await readXlsx({
      sheets: { S: xlsxRow('<c><v>1</v></c>') },
      parts: {
        'xl/worksheets/_rels/sheet1.xml.rels': writeRelations(
          ['rId1', 'comments', '../comments1.xml'],
          ['rId2', 'threadedComment', '../threadedComments/threadedComment1.xml'],
        ),
        'xl/comments1.xml': `<comments ${main}><commentList><comment ref="A1"><text><t>[Threaded comment] Your version</t></text></comment><comment ref="B2"><text><r><t>old </t></r><r><t>note</t></r></text></comment></commentList></comments>`,
        'xl/threadedComments/threadedComment1.xml':
          '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"><threadedComment ref="A1"><text>Is this right?</text></threadedComment><threadedComment ref="A1"><text>Yes.</text></threadedComment></ThreadedComments>',
      },
    })
    expect(text).toBe(
      '## S\n1\n[Comment on A1: Is this right?]\n[Comment on A1: Yes.]\n[Comment on B2: old note]',
    )
  })

  it('of OpenDocument spreadsheets follow the rows too, and do not shift them', async () => {
    const comment =
      '<office:annotation><dc:creator>Anna</dc:creator><text:p>CELL</text:p><text:p>COMMENT</text:p></office:annotation>'
    const box =
      '<draw:frame><draw:text-box><text:p>TEXT</text:p><text:p>BOX</text:p></draw:text-box></draw:frame>'
    const shapes =
      '<table:shapes><draw:custom-shape><text:p>SHAPE</text:p></draw:custom-shape></table:shapes>'
    const rows =
      odsRow(odsText('a') + odsText('b')) +
      odsRow(odsCell('') + odsCell('', `${comment}${box}<text:p>c</text:p>`))
    expect(await readOds(odsTable(shapes + rows + odsPadding))).toBe(
      `## Data\na | b\n | c\n${padding}\nSHAPE\n[Comment on B2: CELL COMMENT]\nTEXT\nBOX`,
    )
  })

  it('charts of OpenDocument files are titles and values', async () => {
    const local = (name: string) => `urn:oasis:names:tc:opendocument:xmlns:${name}:1.0`
    const chart = `<office:document-content xmlns:office="${local('office')}" xmlns:text="${local('text')}" xmlns:table="${local('table')}" xmlns:chart="${local('chart')}"><office:body><office:chart><chart:chart><chart:title><text:p>CHART-TITLE</text:p></chart:title><chart:plot-area><chart:axis><chart:title><text:p>Year</text:p></chart:title></chart:axis></chart:plot-area>${odsTable(
      `<table:table-header-rows>${odsRow(odsText('') + odsText('SERIES-NAME'))}</table:table-header-rows>${odsRow(odsText('2023') + odsCell('office:value-type="float" office:value="4711"', '<text:p>4711</text:p>'))}`,
    )}</chart:chart></office:chart></office:body></office:document-content>`
    const parts = {
      'META-INF/manifest.xml': `<m:manifest xmlns:m="${local('manifest')}"><m:file-entry m:full-path="Object 1/" m:media-type="application/vnd.oasis.opendocument.chart"/></m:manifest>`,
      'Object 1/content.xml': chart,
    }
    const frame =
      '<draw:frame><draw:object xlink:href="./Object 1"/><draw:image xlink:href="x"/></draw:frame>'
    const shown = 'Chart: CHART-TITLE\nAxes: Year\n | SERIES-NAME\n2023 | 4711'
    expect(await readOds(odsTable(odsRow(odsCell('', frame)) + odsPadding), { parts })).toBe(
      `## Data\n${padding}\n${shown}`,
    )
    const page = `<office:presentation><draw:page>${frame}<draw:frame><draw:text-box><text:p>${padding}</text:p></draw:text-box></draw:frame></draw:page></office:presentation>`
    expect(await read('odf', writeOpenDocument(page, { parts }))).toBe(`## Slide 1\n\n${shown}\n\n${padding}`)
  })
})
