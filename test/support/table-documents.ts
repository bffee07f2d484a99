import { createZip } from './zip.ts'

/** A cell of a table that can be written in every format. */
export interface CellSpec {
  /** Several for a cell with several paragraphs. A line break in one is `\n`. */
  readonly paragraphs: readonly string[]
  readonly columns?: number
  readonly rows?: number
  /** The number that a workbook stores instead of the text, and its format. */
  readonly stored?: { readonly value: string; readonly format?: string; readonly ods: string }
}

/** A table as a grid; a cell that covers other places is followed by undefined in them. */
export type TableSpec = readonly (readonly (CellSpec | undefined)[])[]

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const join = <Item>(items: readonly Item[], write: (item: Item, index: number) => string) =>
  items.map(write).join('')
const namespace = (prefix: string, uri: string) => `xmlns${prefix === '' ? '' : `:${prefix}`}="${uri}"`
const office = 'http://schemas.openxmlformats.org'
const relation = (id: string, type: string, target: string) =>
  `<Relationship Id="${id}" Type="${office}/officeDocument/2006/relationships/${type}" Target="${target}"/>`

/** Returns the relations of a part of an Office file. */
export const writeRelations = (...relations: readonly (readonly [string, string, string])[]) =>
  `<Relationships ${namespace('', `${office}/package/2006/relationships`)}>${join(relations, (it) => relation(...it))}</Relationships>`

const contentTypes = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
const isCoveredFromLeft = (row: TableSpec[number], index: number) => {
  const start = row.slice(0, index).findLastIndex((cell) => cell !== undefined)
  return start !== -1 && start + (row[start]?.columns ?? 1) > index
}

const htmlCell = (cell: CellSpec) =>
  `<td colspan="${cell.columns ?? 1}" rowspan="${cell.rows ?? 1}">${join(cell.paragraphs, (text) => `<p>${escapeXml(text).replaceAll('\n', '<br>')}</p>`)}</td>`

/** Returns a page with the table. */
export function writeHtmlTable(table: TableSpec): Buffer {
  const rows = join(
    table,
    (row) => `<tr>${join(row, (cell) => (cell === undefined ? '' : htmlCell(cell)))}</tr>`,
  )
  return Buffer.from(`<!doctype html><title></title><p>before</p><table>${rows}</table><p>after</p>`)
}

/** Returns a Word document with the table. */
export function writeDocxTable(table: TableSpec): Buffer {
  const run = (text: string) => `<w:r><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r>`
  const paragraph = (text: string) => `<w:p>${text.split('\n').map(run).join('<w:r><w:br/></w:r>')}</w:p>`
  const cell = (rowIndex: number) => (it: CellSpec | undefined, column: number) => {
    const above = table.slice(0, rowIndex).findLast((row) => row[column] !== undefined)?.[column]
    if (it === undefined && isCoveredFromLeft(table[rowIndex] ?? [], column)) return ''
    // A cell below the first row of a merged area is there, and as wide as the area.
    if (it === undefined && (above?.rows ?? 1) === 1) return ''
    const merge =
      it === undefined ? '<w:vMerge/>' : it.rows === undefined ? '' : '<w:vMerge w:val="restart"/>'
    const columns = (it ?? above)?.columns
    const span = columns === undefined ? '' : `<w:gridSpan w:val="${columns}"/>`
    return `<w:tc><w:tcPr>${span}${merge}</w:tcPr>${join(it?.paragraphs ?? [''], paragraph)}</w:tc>`
  }
  const rows = join(table, (row, n) => `<w:tr>${join(row, cell(n))}</w:tr>`)
  const body = `${paragraph('before')}<w:tbl>${rows}</w:tbl>${paragraph('after')}`
  return createZip({
    '[Content_Types].xml': contentTypes,
    '_rels/.rels': writeRelations(['rId1', 'officeDocument', 'word/document.xml']),
    'word/document.xml': `<w:document ${namespace('w', `${office}/wordprocessingml/2006/main`)}><w:body>${body}</w:body></w:document>`,
  })
}

/** Returns a presentation with one slide. */
export function writeSlide(slide: string, parts: Readonly<Record<string, string>> = {}): Buffer {
  const spaces = [
    namespace('p', `${office}/presentationml/2006/main`),
    namespace('a', `${office}/drawingml/2006/main`),
    namespace('r', `${office}/officeDocument/2006/relationships`),
  ].join(' ')
  return createZip({
    '_rels/.rels': writeRelations(['rId1', 'officeDocument', 'ppt/presentation.xml']),
    'ppt/presentation.xml': `<p:presentation ${spaces}><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': writeRelations(['rId1', 'slide', 'slides/slide1.xml']),
    'ppt/slides/slide1.xml': `<p:sld ${spaces}><p:cSld><p:spTree>${slide}</p:spTree></p:cSld></p:sld>`,
    ...parts,
  })
}

/** Returns a presentation with the table. */
export function writePptxTable(table: TableSpec): Buffer {
  const run = (text: string) => `<a:r><a:t>${escapeXml(text)}</a:t></a:r>`
  const paragraph = (text: string) => `<a:p>${text.split('\n').map(run).join('<a:br/>')}</a:p>`
  const cell = (row: TableSpec[number]) => (it: CellSpec | undefined, index: number) => {
    const merge = it !== undefined ? '' : isCoveredFromLeft(row, index) ? ' hMerge="1"' : ' vMerge="1"'
    const spans = `${it?.columns ? ` gridSpan="${it.columns}"` : ''}${it?.rows ? ` rowSpan="${it.rows}"` : ''}`
    // PowerPoint keeps the former text of a cell that is merged into another, but does not show it.
    return `<a:tc${spans}${merge}><a:txBody>${join(it?.paragraphs ?? ['HIDDEN'], paragraph)}</a:txBody></a:tc>`
  }
  const rows = join(table, (row) => `<a:tr>${join(row, cell(row))}</a:tr>`)
  const shape = (text: string) => `<p:sp><p:txBody>${paragraph(text)}</p:txBody></p:sp>`
  return writeSlide(
    `${shape('before')}<p:graphicFrame><a:graphic><a:graphicData><a:tbl>${rows}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>${shape('after')}`,
  )
}

interface WorkbookSpec {
  /** The XML of `sheetData`, by name. A name that begins with `!` is that of a hidden sheet. */
  readonly sheets: Readonly<Record<string, string>>
  /** The formats of the cell styles, from 0. */
  readonly formats?: readonly string[]
  readonly parts?: Readonly<Record<string, string>>
}

/** Returns a workbook. */
export function writeWorkbook({ sheets, formats = [], parts = {} }: WorkbookSpec): Buffer {
  const names = Object.keys(sheets)
  const main = namespace('', `${office}/spreadsheetml/2006/main`)
  const index = join(
    names,
    (name, n) =>
      `<sheet name="${name.replace('!', '')}" sheetId="${n + 1}" r:id="rId${n + 1}"${name.startsWith('!') ? ' state="hidden"' : ''}/>`,
  )
  return createZip({
    '_rels/.rels': writeRelations(['rId1', 'officeDocument', 'xl/workbook.xml']),
    'xl/workbook.xml': `<workbook ${main} ${namespace('r', `${office}/officeDocument/2006/relationships`)}><sheets>${index}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': writeRelations(
      ...names.map((_, n) => [`rId${n + 1}`, 'worksheet', `worksheets/sheet${n + 1}.xml`] as const),
    ),
    'xl/styles.xml': `<styleSheet ${main}><numFmts>${join(formats, (code, n) => `<numFmt numFmtId="${n + 164}" formatCode="${escapeXml(code).replaceAll('"', '&quot;')}"/>`)}</numFmts><cellXfs>${join(formats, (_, n) => `<xf numFmtId="${n + 164}"/>`)}</cellXfs></styleSheet>`,
    ...Object.fromEntries(
      names.map((name, n) => [
        `xl/worksheets/sheet${n + 1}.xml`,
        `<worksheet ${main}><sheetData>${sheets[name]}</sheetData></worksheet>`,
      ]),
    ),
    ...parts,
  })
}

/** Returns a workbook with the table in its third row and below. */
export function writeXlsxTable(table: TableSpec): Buffer {
  const formats = ['General', ...table.flat().flatMap((cell) => cell?.stored?.format ?? [])]
  const cell = (row: number) => (it: CellSpec | undefined, column: number) => {
    const text = it?.paragraphs.join('\n') ?? ''
    const at = `r="${String.fromCharCode(65 + column)}${row}"`
    if (it?.stored !== undefined)
      return `<c ${at} s="${Math.max(0, formats.indexOf(it.stored.format ?? 'General'))}"><v>${it.stored.value}</v></c>`
    return text === '' ? '' : `<c ${at} t="inlineStr"><is><t>${escapeXml(text)}</t></is></c>`
  }
  const rows = join(table, (row, n) => `<row r="${n + 3}">${join(row, cell(n + 3))}</row>`)
  const line = (row: number, text: string) =>
    `<row r="${row}"><c r="A${row}" t="str"><v>${text}</v></c></row>`
  return writeWorkbook({
    sheets: { Data: `${line(1, 'before')}${rows}${line(table.length + 3, 'after')}` },
    formats,
  })
}

const openDocument = ['office', 'text', 'table', 'drawing', 'style', 'chart']
  .map((name) =>
    namespace(name === 'drawing' ? 'draw' : name, `urn:oasis:names:tc:opendocument:xmlns:${name}:1.0`),
  )
  .join(' ')

/** Returns an OpenDocument file. @param body the content of `office:body` */
export function writeOpenDocument(
  body: string,
  {
    styles = '',
    parts = {},
  }: { readonly styles?: string; readonly parts?: Readonly<Record<string, string>> } = {},
): Buffer {
  return createZip({
    mimetype: 'application/vnd.oasis.opendocument.text',
    'content.xml': `<office:document-content ${openDocument} ${namespace('xlink', 'http://www.w3.org/1999/xlink')}><office:automatic-styles>${styles}</office:automatic-styles><office:body>${body}</office:body></office:document-content>`,
    ...parts,
  })
}

function writeOpenDocumentRows(table: TableSpec): string {
  const paragraph = (text: string) =>
    `<text:p>${escapeXml(text).replaceAll('\n', '<text:line-break/>')}</text:p>`
  const cell = (it: CellSpec | undefined) =>
    it === undefined
      ? '<table:covered-table-cell><text:p>HIDDEN</text:p></table:covered-table-cell>'
      : `<table:table-cell table:number-columns-spanned="${it.columns ?? 1}" table:number-rows-spanned="${it.rows ?? 1}" ${it.stored?.ods ?? ''}>${it.stored === undefined ? join(it.paragraphs, paragraph) : ''}</table:table-cell>`
  // Equal cells in a row, and equal rows, are stored once with their number.
  const rows = group(
    table.map((row) => join(group(row.map(cell)), ([it, count]) => repeat(it, 'columns', count))),
  )
  return join(rows, ([row, count]) => repeat(`<table:table-row>${row}</table:table-row>`, 'rows', count))
}

function repeat(tag: string, what: string, count: number): string {
  return count === 1 ? tag : tag.replace(/^<[\w:-]+/, `$& table:number-${what}-repeated="${count}"`)
}

/** Returns the items without repetitions, each with the number of times that it follows itself. */
function group(items: readonly string[]): readonly (readonly [string, number])[] {
  const groups: [string, number][] = []
  for (const item of items) {
    const last = groups.at(-1)
    if (last?.[0] === item) last[1]++
    else groups.push([item, 1])
  }
  return groups
}

/** Returns a text document with the table. */
export function writeOdtTable(table: TableSpec): Buffer {
  return writeOpenDocument(
    `<office:text><text:p>before</text:p><table:table>${writeOpenDocumentRows(table)}</table:table><text:p>after</text:p></office:text>`,
  )
}

/** Returns a spreadsheet with the table. */
export function writeOdsTable(table: TableSpec): Buffer {
  const line = (text: string) =>
    `<table:table-row><table:table-cell><text:p>${text}</text:p></table:table-cell></table:table-row>`
  return writeOpenDocument(
    `<office:spreadsheet><table:table table:name="Data">${line('before')}${writeOpenDocumentRows(table)}${line('after')}</table:table></office:spreadsheet>`,
  )
}
