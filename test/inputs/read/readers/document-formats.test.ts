import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { defaultExtensions } from '../../../../src/config/default-extensions.ts'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import {
  detectFormat,
  documentFormats,
  findFormatByName,
} from '../../../../src/inputs/read/readers/document-formats.ts'
import { measureRecall } from '../../../support/recall.ts'

const root = resolve(import.meta.dirname, '../../../..')
const folder = join(root, 'fixtures/kinds')
const fixture = (name: string) => readFile(join(folder, name))

const textOf = async (name: string, bytes?: Buffer) => {
  const format = findFormatByName(name)
  if (format === undefined) throw new Error(`${name} is of no kind`)
  const result = await convertDocument({ format, pdf: 'text', bytes: bytes ?? (await fixture(name)) })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}

describe('documents from other programs', () => {
  const withoutMarkup = (source: string) =>
    source.replace(/^---\n[\s\S]*?---\n/, '').replace(/^\|[-:|]+\|$|\[\^books\]:?/gm, '')

  it.each([
    'pandoc.docx',
    'libreoffice.docx',
    'pandoc.odt',
    'libreoffice.odt',
    'libreoffice.doc',
    'libreoffice.rtf',
    'libreoffice.docm',
    'libreoffice.dotx',
    'libreoffice.ott',
    'pandoc.epub',
    'pandoc.html',
    'libreoffice.html',
    'pandoc.ipynb',
  ])('%s keeps 99 % of its words and gains hardly any', async (name) => {
    const source = withoutMarkup((await fixture('source.md')).toString())
    const text = await textOf(name)
    expect(measureRecall(source, text)).toBeGreaterThan(0.99)
    expect(
      measureRecall(text, `Ferry timetable review, spring 2026 by Harbour Board of Norvik ${source}`),
    ).toBeGreaterThan(0.95)
  })

  it('libreoffice.pdf keeps 99 % of its words, except for a line in other scripts that the PDF lacks', async () => {
    const source = withoutMarkup((await fixture('source.md')).toString()).replace(/^> .*$/m, '')
    expect(measureRecall(source, await textOf('libreoffice.pdf'))).toBeGreaterThan(0.99)
  })

  it.each(['pandoc.pptx', 'libreoffice.odp', 'libreoffice.ppsx', 'libreoffice.otp'])(
    '%s keeps every word, slide by slide, and the notes',
    async (name) => {
      const text = await textOf(name)
      expect(
        measureRecall(withoutMarkup((await fixture('slides.md')).toString()).replace(/:::.*/g, ''), text),
      ).toBe(1)
      expect(text).toMatch(/## Slide 2\s+What they found[\s\S]+## Slide 3\s+What it costs\s+Route \| Delay\n/)
    },
  )

  it.each(['libreoffice.xlsx', 'libreoffice.ods', 'libreoffice.xlsm', 'libreoffice.ots'])(
    '%s becomes rows of cells, with dates and the results of formulas',
    async (name) => {
      expect(await textOf(name)).toBe(`## Delays
Route | Since | Minutes | Late
Norvik – Østhavn | 2015-03-01 | 11.5 | TRUE
Norvik – Lille |  | 4
All |  | 15.5

## Notes
Counted by Ingrid Solheim & Per Anders Løkke`)
    },
  )

  it('text documents keep headings, lists and tables', async () => {
    for (const name of ['pandoc.docx', 'libreoffice.odt', 'pandoc.epub', 'pandoc.html']) {
      const text = await textOf(name)
      for (const line of [
        '\n# Why the timetable was reviewed\n',
        '\n- Loading takes longer than it did:\n  - there are twice as many electric bicycles,\n',
        '\nRoute | Delay, minutes | Passengers a day | Cost a year\nNorvik – Østhavn | 11 | 312 | € 184,000\n',
      ])
        expect([name, text]).toEqual([name, expect.stringContaining(line)])
    }
  })
})

describe('the format of a document', () => {
  it('is detected from the first bytes, not from the name', async () => {
    const files = await fastGlob('*.{docx,pptx,xlsx,odt,odp,ods,epub,pdf}', { cwd: folder })
    expect(files.length).toBeGreaterThan(8)
    for (const name of files) {
      const bytes = await fixture(name)
      for (const called of [name, 'nameless', 'wrong.txt', '-'])
        expect(detectFormat(called, bytes)).toBe(findFormatByName(name))
    }
  })

  it.each<[string, string, string | undefined]>([
    ['a page without a name', '\ufeff\n<!DOCTYPE html><p>x', 'html'],
    ['source code that begins like a page', '<html>', undefined],
  ])('is detected for %s', (what, start, kind) => {
    const name = what.includes('code') ? 'x.vue' : '-'
    expect(detectFormat(name, Buffer.from(start))).toBe(kind)
  })

  it('is detected for a mail or a mailbox with any name', async () => {
    const mail = await fixture('eml-stub-text.eml')
    const mailbox = Buffer.concat([Buffer.from('From ann@example.org Mon Mar  4 10:00:00 2024\r\n'), mail])
    for (const name of ['new/1700000000.M1P2.host:2,S', 'new/1700000000.M1P2.example.com', '-', 'raw.txt'])
      for (const bytes of [mail, mailbox]) expect(detectFormat(name, bytes)).toBe('email')
    const patch =
      'From 1f4537f Mon Sep 17 00:00:00 2001\nFrom: Ann <a@example.org>\nSubject: [PATCH] x\n\n---\n'
    for (const text of [
      patch,
      `# Headers\n${mail}`,
      `From: Ann\nDear Bob,\nMIME-Version: 1.0\n\n`,
      'From: Ann\n\nx',
    ])
      expect(detectFormat('a.txt', Buffer.from(text))).toBe(undefined)
  })

  it('is an error for other archives and for old Office files', () => {
    expect(detectFormat('x.zip', Buffer.from('PK\x03\x04whatever'))).toMatchObject({
      type: 'binary',
      message: expect.stringContaining('archive'),
    })
    const old = Buffer.from('d0cf11e0a1b11ae1', 'hex')
    expect(detectFormat('x.xls', old)).toMatchObject({ type: 'binary' })
    expect(detectFormat('x.docx', old)).toMatchObject({ type: 'not_a_word_document' })
  })

  it('has extensions that are searched for in folders, except for images', () => {
    for (const [format, { extensions }] of Object.entries(documentFormats))
      for (const extension of extensions)
        expect([extension, (defaultExtensions as readonly string[]).includes(extension)]).toEqual([
          extension,
          format !== 'image' && format !== 'tiff',
        ])
  })
})
