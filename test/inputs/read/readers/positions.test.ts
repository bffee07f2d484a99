import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Document } from '../../../../src/core/document/document.ts'
import { locate } from '../../../../src/core/document/locate.ts'
import { createDocumentReader } from '../../../../src/inputs/read/read-document.ts'
import { createTextBuilder } from '../../../../src/inputs/read/readers/text-builder.ts'
import { createZip } from '../../../support/zip.ts'

const fixtures = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
const read = createDocumentReader({ cwd: folder, stdin: Readable.from([]) })

/** Reads a document through the reader thread, and returns where given words are in it. */
async function positionsIn(name: string, content: string | Buffer, words: readonly string[]) {
  await writeFile(join(folder, name), content)
  const document = await read({ index: 0, path: join(folder, name), namedByUser: true })
  if ('action' in document) throw new Error(document.message)
  return words.map((word) => locateWord(document, word))
}

function locateWord(document: Document, word: string): string | undefined {
  const offset = document.text.indexOf(word)
  if (offset === -1) throw new Error(`${JSON.stringify(word)} is not in ${document.text}`)
  return locate(document, offset)
}

const fixture = (name: string) => readFile(join(fixtures, name))
const long = 'Words that make the page long enough to be read as text.'

describe('a position in a document that was read', () => {
  it('is a page of a PDF; pages without text count', async () => {
    const pdf = makePdf([`First ${long}`, '', `Third ${long}`])
    expect(await positionsIn('three.pdf', pdf, ['First', 'long', 'Third'])).toEqual([
      'page 1',
      'page 1',
      'page 3',
    ])
  })

  it('is a slide of a presentation, also in its notes', async () => {
    const slides = ['Slide 1', 'Slide 2', 'What they found', 'Slide 3', 'What it costs']
    for (const name of ['pandoc.pptx', 'libreoffice.odp'])
      expect(await positionsIn(name, await fixture(name), slides)).toEqual([
        'slide 1',
        'slide 2',
        'slide 2',
        'slide 3',
        'slide 3',
      ])
  })

  it('is a sheet and a row of a workbook', async () => {
    for (const name of ['libreoffice.xlsx', 'libreoffice.ods'])
      expect(
        await positionsIn(name, await fixture(name), [
          'Delays',
          'Route',
          'Minutes',
          'Lille',
          'All',
          'Notes',
          'Counted',
        ]),
      ).toEqual([
        'sheet Delays',
        'sheet Delays, row 1',
        'sheet Delays, row 1',
        'sheet Delays, row 3',
        'sheet Delays, row 4',
        'sheet Notes',
        'sheet Notes, row 1',
      ])
  })

  it('is the row by its number, where a workbook leaves out empty rows or repeats them', async () => {
    const cell = (words: string) => `<c t="inlineStr"><is><t>${words}</t></is></c>`
    const xlsx = createZip({
      'xl/workbook.xml':
        '<workbook><sheets><sheet name="Budget" r:id="r1"/><sheet name="Empty" r:id="r2"/></sheets></workbook>',
      'xl/_rels/workbook.xml.rels':
        '<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/a.xml"/><Relationship Id="r2" Type="x/worksheet" Target="worksheets/b.xml"/></Relationships>',
      'xl/worksheets/a.xml': `<worksheet><sheetData><row r="5">${cell('five')}</row><row>${cell('six')}</row><row r="x">${cell('seven')}</row><row r="12">${cell('twelve')}</row></sheetData></worksheet>`,
      'xl/worksheets/b.xml': '<worksheet><sheetData><row r="1"/></sheetData></worksheet>',
    })
    expect(await positionsIn('gaps.xlsx', xlsx, ['five', 'six', 'seven', 'twelve', 'Empty'])).toEqual([
      'sheet Budget, row 5',
      'sheet Budget, row 6',
      'sheet Budget, row 7',
      'sheet Budget, row 12',
      'sheet Empty',
    ])
    const row = (words: string, repeated = '') =>
      `<table:table-row${repeated}><table:table-cell>${words && `<text:p>${words}</text:p>`}</table:table-cell></table:table-row>`
    const ods = createZip({
      mimetype: 'application/vnd.oasis.opendocument.spreadsheet',
      'content.xml': `<office:document-content><office:body><office:spreadsheet><table:table table:name="Budget">${row('one')}${row('', ' table:number-rows-repeated="9"')}${row(`eleven ${long} ${long}`)}</table:table><table:table table:name="More">${row('again')}</table:table></office:spreadsheet></office:body></office:document-content>`,
    })
    expect(await positionsIn('gaps.ods', ods, ['one', 'eleven', 'again'])).toEqual([
      'sheet Budget, row 1',
      'sheet Budget, row 11',
      'sheet More, row 1',
    ])
  })

  it('is a section of a text document or a page', async () => {
    const words = ['Why the timetable was reviewed', 'Loading takes longer', 'Route | Delay']
    for (const name of ['pandoc.docx', 'libreoffice.docx', 'pandoc.odt', 'libreoffice.odt', 'pandoc.html']) {
      const found = await positionsIn(name, await fixture(name), words)
      expect([name, found[0]]).toEqual([name, 'section Why the timetable was reviewed'])
      for (const position of found) expect(position).toMatch(/^section \w/)
    }
    const page = '<head><title>Timetable</title></head><p>Intro <h1> Why </h1><p>because<h2>How</h2>so'
    expect(await positionsIn('a.html', page, ['Timetable', 'Intro', 'Why', 'because', 'so'])).toEqual([
      'section Timetable',
      'section Timetable',
      'section Why',
      'section Why',
      'section How',
    ])
  })

  it('is a chapter of a book, by the order in which it is read, and the section in it', async () => {
    const chapter = (body: string) => `<html><body>${body}</body></html>`
    const epub = createZip({
      mimetype: 'application/epub+zip',
      'META-INF/container.xml': '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
      'a.opf':
        '<package><metadata><dc:title>Book</dc:title></metadata><manifest><item id="b" href="b.xhtml"/><item id="c" href="c.xhtml"/><item id="d" href="d.xhtml"/></manifest><spine><itemref idref="c"/><itemref idref="d"/><itemref idref="b"/></spine></package>',
      'b.xhtml': chapter(`<p>last ${long}</p>`),
      'c.xhtml': chapter('<p>first</p><h2>Methods</h2><p>measured</p>'),
      'd.xhtml': chapter(''),
    })
    expect(await positionsIn('a.epub', epub, ['Book', 'first', 'Methods', 'measured', 'last'])).toEqual([
      undefined,
      'chapter 1',
      'chapter 1 › Methods',
      'chapter 1 › Methods',
      'chapter 3',
    ])
  })

  it('is a cell of a notebook, and the section in it', async () => {
    const cells = [
      { cell_type: 'markdown', source: '# Intro\n\ntext' },
      { cell_type: 'code', source: '', outputs: [] },
      { cell_type: 'code', source: '# not a heading\nx = 1', outputs: [] },
    ]
    expect(await positionsIn('a.ipynb', JSON.stringify({ cells }), ['# Intro', 'text', 'x = 1'])).toEqual([
      'cell 1 › Intro',
      'cell 1 › Intro',
      'cell 3',
    ])
  })

  it('is the message of an e-mail', async () => {
    const mail = 'Subject: Timetable\nFrom: a@example.com\n\nHello'
    expect(await positionsIn('a.eml', mail, ['Subject', 'Hello'])).toEqual([
      'message Timetable',
      'message Timetable',
    ])
  })

  it('is a line of text and Markdown, and the section of Markdown', async () => {
    expect(await positionsIn('a.txt', '# a\nb\r\nc', ['b', 'c'])).toEqual(['line 2', 'line 3'])
    expect(await positionsIn('a.csv', 'a,b\n1,2\n', ['1,2'])).toEqual(['line 2'])
    expect(await positionsIn('a.md', 'start\n\n## Methods\n\nmeasured', ['start', 'measured'])).toEqual([
      'line 1',
      'section Methods, line 5',
    ])
  })

  it('is unknown in subtitles, whose text has other lines than the file', async () => {
    expect(await positionsIn('a.srt', '1\n00:00:01,000 --> 00:00:02,000\nHello\n', ['Hello'])).toEqual([
      undefined,
    ])
  })

  it('begins in every document at the marked text', async () => {
    for (const name of [
      'pandoc.pptx',
      'libreoffice.odp',
      'libreoffice.xlsx',
      'libreoffice.ods',
      'pandoc.docx',
      'pandoc.epub',
      'pandoc.ipynb',
    ]) {
      const document = await read({ index: 0, path: join(fixtures, name), namedByUser: true })
      if ('action' in document) throw new Error(document.message)
      const { text, marks = [] } = document
      expect(marks.length).toBeGreaterThan(2)
      for (const [n, { offset, kind, label }] of marks.entries()) {
        expect(offset).toBeGreaterThanOrEqual(marks[n - 1]?.offset ?? 0)
        expect(text.slice(offset - 1, offset)).toMatch(/^\s?$/)
        const rest = text.slice(offset)
        if (kind === 'heading') expect(rest.replace(/^#+ /, '')).toMatch(label.slice(0, 20))
        if (kind === 'slide') expect(rest).toMatch(`## Slide ${label}\n`)
        if (kind === 'sheet') expect(rest).toMatch(`## ${label}\n`)
      }
    }
  })
})

describe('the marks of a text builder', () => {
  it('belong to the next addition, and only the last of two rows without text between them is kept', () => {
    const text = createTextBuilder()
    text.markPosition('sheet', 'A')
    text.addMark('## ')
    text.addWords('A')
    text.startRow()
    text.markPosition('row', '1')
    text.startRow()
    text.markPosition('row', '2')
    text.startCell()
    text.addWords('b')
    text.startRow()
    text.markPosition('row', '3')
    text.markPosition('sheet', 'B')
    text.addWords('c')
    text.markPosition('row', '4')
    const marked = text.toMarkedText()
    expect(marked.marks.map(({ offset, kind, label }) => [kind, label, marked.text[offset]])).toEqual([
      ['sheet', 'A', '#'],
      ['row', '2', 'b'],
      ['sheet', 'B', 'c'],
    ])
  })
})

/** Creates a PDF with one line of text on each page. */
function makePdf(pages: readonly string[]): string {
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    `<</Type/Pages/Count ${pages.length}/Kids[${pages.map((_, n) => `${4 + 2 * n} 0 R`).join(' ')}]>>`,
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
    ...pages.flatMap((text, n) => {
      const stream = `BT /F1 12 Tf 20 100 Td (${text}) Tj ET`
      return [
        `<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 200]/Resources<</Font<</F1 3 0 R>>>>/Contents ${5 + 2 * n} 0 R>>`,
        `<</Length ${stream.length}>>stream\n${stream}\nendstream`,
      ]
    }),
  ]
  return `%PDF-1.4\n${objects.map((object, n) => `${n + 1} 0 obj ${object} endobj\n`).join('')}trailer<</Root 1 0 R/Size ${objects.length + 1}>>\n%%EOF\n`
}
