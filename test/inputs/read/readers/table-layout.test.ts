import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { extractHtmlText } from '../../../../src/inputs/read/readers/html-reader.ts'
import { writeOpenDocument, writeRelations } from '../../../support/table-documents.ts'
import { createZip } from '../../../support/zip.ts'

const readHtml = (body: string) => extractHtmlText(`<!doctype html><body>${body}`)
const sentence = 'The harbour board met about the ferry and decided to dredge the channel before the winter. '

describe('tables of web pages', () => {
  it('that only arrange a page do not become lines', async () => {
    const page = `<table><tr><td></td><td><table><tr><td><h1>Title</h1><p>${sentence}</p><p>${sentence}</p></td></tr></table></td></tr></table>`
    expect(await readHtml(page)).toBe(`# Title\n\n${sentence.trim()}\n\n${sentence.trim()}`)
  })

  it('in a table that arranges a page have one line per row', async () => {
    const inner =
      '<table><tr><th></th><th>Late</th></tr><tr><td>Norvik</td><td><p>1</p><p>2</p></td></tr></table>'
    const long = `<h2>News</h2><p>${sentence.repeat(30)}</p>`
    expect(await readHtml(`<table><tr><td>menu</td><td>${long}${inner}</td></tr></table>`)).toBe(
      `menu\n\n## News\n\n${sentence.repeat(30).trim()}\n\n | Late\nNorvik | 1 2`,
    )
    expect(await readHtml(`<table><tr><td>${inner}</td></tr></table>`)).toBe(' | Late\nNorvik | 1 2')
  })

  it('in a cell do not break the row around them', async () => {
    const inner = '<table><tr><td>Summer</td><td>312</td></tr><tr><td>Winter</td><td>120</td></tr></table>'
    expect(await readHtml(`<table><tr><td>Norvik</td><td>${inner}</td><td>last</td></tr></table>`)).toBe(
      'Norvik | Summer, 312; Winter, 120 | last',
    )
  })

  it('keep lists in a cell on the line of its row', async () => {
    const list = '<ul><li>one</li><li>two</li></ul>'
    expect(await readHtml(`<table><tr><td>a</td><td>${list}</td><td>b</td></tr></table>`)).toBe(
      'a | - one - two | b',
    )
  })

  it('follow the rules of browsers for spans', async () => {
    const cut = '<table><thead><tr><th rowspan=5>a<th>b<tbody><tr><td>c<td>d</table>'
    expect(await readHtml(cut)).toBe('a | b\nc | d')
    const rest = '<table><tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d</table>'
    expect(await readHtml(rest)).toBe('a | b\n | c\n | d')
    expect(await readHtml('<table><tr><td colspan=x>a<td rowspan=-2>b<tr><td>c</table>')).toBe('a | b\nc')
  })

  it('lose no words if tags are missing', async () => {
    for (const broken of [
      '<td>a<td>b',
      '<table>a<td>b',
      '<table><tr>a<td>b',
      '<tr><td>a<tr><td>b',
      '<table><tr><td>a<div><td>b</div></td></tr></table>',
      '<table><tr><td>a<table><tr><td>b',
      '<table><tr><td>a</table></table></td>b',
    ]) {
      const text = await readHtml(broken)
      expect([broken, /a[\s\S]*\sb/.test(text)]).toEqual([broken, true])
    }
  })

  it('take time in proportion to their size', async () => {
    const deep = '<table><tr><td>'.repeat(3000) + 'deep'.repeat(500)
    const wide = `<table><tr>${'<td rowspan=9 colspan=1000>x'.repeat(5000)}${'<tr><td>y'.repeat(20_000)}</table>`
    const layouts = `${'<table><tr><td>'.repeat(2000)}${`<table><tr><td><h1>x</h1></table>`.repeat(10_000)}`
    for (const page of [deep, wide, layouts]) {
      const started = performance.now()
      expect(await readHtml(page)).toMatch(/deep|y|x/)
      expect(performance.now() - started).toBeLessThan(10_000)
    }
  })
})

describe('tables of Word documents', () => {
  const word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
  const cell = (text: string, properties = '') =>
    `<w:tc><w:tcPr>${properties}</w:tcPr><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:tc>`
  const read = async (rows: string) => {
    const padding = `<w:tr>${cell('x'.repeat(64))}</w:tr>`
    const bytes = createZip({
      '[Content_Types].xml': '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
      '_rels/.rels': writeRelations(['rId1', 'officeDocument', 'word/document.xml']),
      'word/document.xml': `<w:document ${word}><w:body><w:tbl>${rows}${padding}</w:tbl></w:body></w:document>`,
    })
    const result = await convertDocument({ format: 'docx', pdf: 'text', bytes })
    return 'action' in result ? result.message : result.text.replace(/\nx+$/, '')
  }

  it('keep cells under their headings if a row skips columns', async () => {
    const skip = '<w:trPr><w:gridBefore w:val="2"/><w:wBefore w:w="99"/></w:trPr>'
    const head = `<w:tr>${['a', 'b', 'c', 'd'].map((text) => cell(text)).join('')}</w:tr>`
    expect(await read(`${head}<w:tr>${skip}${cell('third')}${cell('fourth')}</w:tr>`)).toBe(
      'a | b | c | d\n |  | third | fourth',
    )
  })

  it('keep cells under their headings if cells are merged in the old way', async () => {
    const merged = `<w:tr>${cell('wide', '<w:hMerge w:val="restart"/>')}${cell('', '<w:hMerge/>')}${cell('c')}</w:tr>`
    expect(await read(`<w:tr>${cell('1')}${cell('2')}${cell('3')}</w:tr>${merged}`)).toBe(
      '1 | 2 | 3\nwide |  | c',
    )
  })
})

it('a table in a cell of an OpenDocument text is part of the row', async () => {
  const cell = (content: string) => `<table:table-cell>${content}</table:table-cell>`
  const text = (words: string) => `<text:p>${words}</text:p>`
  const inner = `<table:table table:is-sub-table="true"><table:table-row>${cell(text('in'))}${cell(text('side'))}</table:table-row></table:table>`
  const table = `<table:table><table:table-row>${cell(text('a'))}${cell(inner)}${cell(text('b'))}</table:table-row></table:table>`
  const bytes = writeOpenDocument(`<office:text>${table}${text(sentence)}</office:text>`)
  const result = await convertDocument({ format: 'odf', pdf: 'text', bytes })
  expect(result).toEqual({ text: `a | in, side | b\n\n${sentence.trim()}`, marks: [] })
})
