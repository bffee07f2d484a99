import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createDocumentReader } from '../../../../src/inputs/read/read-document.ts'
import { documentFormats } from '../../../../src/inputs/read/readers/document-formats.ts'
import { createCompoundFile } from '../../../support/compound.ts'
import { has } from '../../../support/system.ts'
import { createZip } from '../../../support/zip.ts'

const fixtures = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
const read = createDocumentReader({ cwd: folder, stdin: Readable.from([]) })

/** Reads a file as if it was found in a folder. */
const readAs = async (name: string, content: string | Buffer, namedByUser = false) => {
  await writeFile(join(folder, name), content)
  const result = await read({ index: 0, path: join(folder, name), namedByUser })
  return 'action' in result ? `${result.action} ${result.type}: ${result.message}` : result.text
}

const extensions = Object.values(documentFormats).flatMap((format) => format.extensions)
const textFormats = new Set<string>([
  ...documentFormats.html.extensions,
  'eml',
  'mbox',
  'srt',
  'vtt',
  'ipynb',
])
const imageExtensions = new Set<string>([
  ...documentFormats.image.extensions,
  ...documentFormats.tiff.extensions,
])
/** Extensions under which programs also save pages and text, which are read as such. */
const looseFormats = new Set<string>(['doc', 'rtf', 'msg'])
const packed = extensions.filter((extension) => !textFormats.has(extension) && !looseFormats.has(extension))

const page = '<!DOCTYPE html>\n<html><title>Sign in</title><p>Please sign in.'
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const ole = createCompoundFile({ Workbook: Buffer.alloc(1000) })
const lfs = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 12345\n`

describe('a file in a folder that is not what its extension promises', () => {
  it('is a failure that says what it is', async () => {
    expect(await readAs('report.pdf', page)).toBe(
      'fail not_a_pdf: report.pdf is not a PDF but an HTML page (perhaps a sign-in page); download it again',
    )
    expect(await readAs('report.docx', '{"message":"Not Found"}')).toBe(
      'fail not_a_word_document: report.docx is not a Word document but JSON (perhaps an error message); download it again',
    )
  })

  it.each<[string, string | Buffer, RegExp]>([
    ['a page', page, /but an HTML page/],
    ['a page with a byte-order mark', `\ufeff\r\n${page}`, /but an HTML page/],
    ['a page in UTF-16', Buffer.from(`\ufeff${page}`, 'utf16le'), /but an HTML page/],
    ['a page after comments', `<!-- a --><!-- b\n -->\n${page}`, /but an HTML page/],
    ['a page of XHTML', `<?xml version="1.0" encoding="utf-8"?>\n${page}`, /but an HTML page/],
    ['a page without a doctype', '<HTML lang=en><body>', /but an HTML page/],
    ['an error of an object store', '<?xml version="1.0"?><Error><Code>AccessDenied</Code>', /but XML/],
    ['a list in JSON', '[{"error": 1}]', /but JSON/],
    ['a fragment of markup', '<div class="error">no</div>', /but markup/],
    ['WordPerfect', Buffer.from('\xffWPC\0', 'latin1'), /but a WordPerfect document; convert it/],
    ['gzip', gzipSync('x'), /but a gzip file; unpack it/],
    ['zero bytes', Buffer.alloc(5000), /but zero bytes/],
    ['an old Office file', ole, /but an old Office file/],
    ['plain text', '404: Not Found', /but plain text; if that is right, rename it to \.txt/],
    ['a document in Base64', 'JVBERi0xLjcKJcfs', /but a file in Base64/],
    ['unknown data', Buffer.from([1, 2, 3, 250, 251, 0]), /but unknown binary data/],
    ['an empty archive', createZip({}), /^fail /],
    ['another archive', createZip({ 'a.txt': 'a' }), /but a zip archive; unpack it/],
    ['no bytes', '', /^fail empty: the file is empty; download/],
    ['white space', '\n\n', /^fail empty/],
  ])('is a failure for every format with a signature: %s', async (_name, content, expected) => {
    for (const extension of packed) {
      const result = await readAs(`x.${extension}`, content)
      expect([extension, result]).toEqual([extension, expect.stringMatching(expected)])
      expect([extension, result]).toEqual([extension, expect.stringMatching(/^fail /)])
    }
  })

  it('is a failure for every format but images if it is an image', async () => {
    for (const extension of packed.filter((extension) => !imageExtensions.has(extension)))
      expect(await readAs(`x.${extension}`, png)).toMatch(/^fail .*but a PNG image/)
  })

  it.each([
    ['x.srt', page, 'not_a_subtitle_file'],
    ['x.vtt', '{"error": true}', 'not_a_subtitle_file'],
    ['x.vtt', '<?xml version="1.0"?><tt/>', 'not_a_subtitle_file'],
    ['x.srt', png, 'not_a_subtitle_file'],
    ['x.eml', page, 'not_an_e_mail'],
    ['x.eml', '{"error": true}', 'not_an_e_mail'],
    ['x.eml', ole, 'not_an_e_mail'],
    ['x.eml', Buffer.from([7, 8, 0, 1]), 'not_an_e_mail'],
    ['x.eml', '', 'empty'],
    ['x.html', png, 'not_an_html_page'],
    ['x.htm', ole, 'not_an_html_page'],
    ['x.xhtml', createZip({ 'a.txt': 'a' }), 'not_an_html_page'],
    ['x.html', Buffer.from('<p>a\0b'), 'binary'],
    ['x.ipynb', page, 'not_a_notebook'],
    ['x.ipynb', '{"message": "Not Found"}', 'not_a_notebook'],
    ['x.ipynb', '[]', 'not_a_notebook'],
    ['x.ipynb', 'Not Found', 'malformed'],
  ])('is a failure for formats of text: %s', async (name, content, type) => {
    expect(await readAs(name, content)).toMatch(`fail ${type}: `)
  })

  it.each<[string, string | Buffer, string]>([
    ['a page', page, 'Please sign in.'],
    ['a fragment of markup', '<div class="error">no</div>', 'no'],
    ['plain text', 'Grüße', 'Grüße'],
    ['a mail', 'From: a@b.c\nMIME-Version: 1.0\n\nHello', 'From: a@b.c'],
    ['JSON', '{"message":"Not Found"}', 'but JSON'],
    ['an image', png, 'but a PNG image'],
    ['no bytes', '', 'the file is empty; download'],
  ])(
    'is read as text or a page under names that such files often have: %s',
    async (_name, content, expected) => {
      for (const extension of looseFormats)
        expect(await readAs(`x.${extension}`, content)).toContain(expected)
    },
  )

  it('is read, if it is another document that can be read', async () => {
    const [docx, pdf, ods] = await Promise.all(
      ['pandoc.docx', 'libreoffice.pdf', 'libreoffice.ods'].map((name) => readFile(join(fixtures, name))),
    )
    for (const name of ['a.pdf', 'a.html', 'a.xlsx', 'a.epub', 'a.txt'])
      expect(await readAs(name, docx as Buffer)).toContain('Norvik')
    for (const name of ['b.docx', 'b.eml', 'b.srt'])
      expect(await readAs(name, pdf as Buffer)).toContain('Norvik')
    expect(await readAs('c.xlsx', ods as Buffer)).toContain('Norvik')
    expect(await readAs('d.docx', '{\\rtf1\\ansi Hello}')).toBe('Hello')
  })

  it('is not assumed for text that may be right', async () => {
    expect(await readAs('template.html', '{% extends "base.html" %}<p>Hello')).toContain('Hello')
    expect(await readAs('data.html', '{"a": "Hello"}')).toContain('Hello')
    expect(await readAs('micro.srt', '{1}{25}Hello')).toContain('Hello')
    expect(await readAs('styled.srt', '<font color="red">Hello</font>\n')).toContain('Hello')
    expect(await readAs('lrc.srt', '[00:12.00]Hello')).toContain('Hello')
    expect(await readAs('mail.eml', 'Subject: a\u0001b\n\nHello')).toContain('Hello')
    expect(await readAs('mbox.eml', 'From x@y Mon\nSubject: a\n\nHello')).toContain('Hello')
    expect(await readAs('empty.ipynb', '{"cells": [], "nbformat": 4}')).toMatch('skip empty')
    expect(await readAs('late.pdf', '%\nsome line before %PDF-1.4')).toMatch('fail malformed')
    const pdf = (await readFile(join(fixtures, 'libreoffice.pdf'))).subarray('%PDF-1.7\n'.length)
    expect(await readAs('headless.pdf', pdf)).toContain('Norvik')
    const far = Buffer.concat([Buffer.from('x'.repeat(2000)), pdf])
    expect(await readAs('far.pdf', far)).not.toMatch('not_a_pdf')
  })

  it.runIf(has.anyName)('has its name escaped in the message', async () => {
    expect(await readAs('a\nb.pdf', page)).toContain('a\\x0ab.pdf is not a PDF')
  })
})

describe('a placeholder of a file', () => {
  it.each(['x.pdf', 'x.docx', 'x.md', 'x.txt', 'x.csv', 'x.ipynb', 'x', 'x.html'])(
    'is a failure if it is a Git LFS pointer called %s',
    async (name) => {
      const expected = 'fail lfs_pointer: this is a Git LFS pointer, not the file; run: git lfs pull'
      expect(await readAs(name, lfs)).toBe(expected)
      expect(await readAs(name, lfs.replaceAll('\n', '\r\n'))).toBe(expected)
      expect(await readAs(name, lfs.replace('oid', 'ext-0-x sha256:1\noid'))).toBe(expected)
    },
  )

  it('is a failure if it is a git-annex pointer', async () => {
    for (const text of [
      '/annex/objects/SHA256E-s1--ab.pdf\n',
      '../.git/annex/objects/a/b/SHA256E-s1--ab.pdf',
    ])
      expect(await readAs('x.pdf', text)).toMatch('fail annex_pointer: ')
  })

  it('is not a text about such pointers', async () => {
    expect(await readAs('x.md', `${lfs}\nA pointer begins so. ${'More. '.repeat(200)}`)).toContain('More.')
    expect(await readAs('x.md', `A pointer:\n\n${lfs}`)).toContain('A pointer:')
  })

  it('is skipped in a folder if it is a lock file of Office', async () => {
    const lock = Buffer.concat([Buffer.from('\x05Ingri'), Buffer.alloc(156)])
    expect(await readAs('~$report.docx', lock)).toMatch('skip lock_file')
    expect(await readAs('~$report.docx', lock, true)).toMatch('fail lock_file')
  })
})

describe('a document with a password', () => {
  it('is a failure of this kind under any name', async () => {
    const locked = createCompoundFile({ EncryptedPackage: Buffer.alloc(1000) })
    for (const name of ['x.docx', 'x.xlsx', 'x.pptx', 'x'])
      expect(await readAs(name, locked)).toBe('fail encrypted: it is protected by a password')
  })
})

describe('a binary file in a folder whose extension promises only text', () => {
  it('is skipped', async () => {
    for (const name of ['x.md', 'x.txt', 'x.csv', 'x.py', 'x.heic']) {
      expect(await readAs(name, png)).toMatch('skip binary')
      expect(await readAs(name, ole)).toMatch('skip binary')
      expect(await readAs(name, ole, true)).toMatch('fail binary')
    }
  })
})
