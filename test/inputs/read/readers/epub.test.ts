import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { createZip } from '../../../support/zip.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const textOf = async (bytes: Buffer) => {
  const result = await convertDocument({ format: 'epub', pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}
const fixture = async (name: string) => textOf(await readFile(join(folder, name)))

interface Item {
  readonly content: string | Buffer
  readonly type?: string
  readonly more?: string
  /** Attributes of the `<itemref>`; without one, the item is not in the reading order. */
  readonly spine?: string
}

/** Creates a book of these files. */
const book = (items: Readonly<Record<string, Item>>, others: Readonly<Record<string, string>> = {}) =>
  createZip({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml':
      '<c:container xmlns:c="urn:oasis:names:tc:opendocument:xmlns:container"><c:rootfiles><c:rootfile full-path="OPS/p.opf"/></c:rootfiles></c:container>',
    'OPS/p.opf': `<o:package xmlns:o="http://www.idpf.org/2007/opf"><o:metadata xmlns:d="http://purl.org/dc/elements/1.1/"><d:title>Title</d:title></o:metadata><o:manifest>${Object.entries(
      items,
    )
      .map(
        ([name, { type = 'application/xhtml+xml', more = '' }]) =>
          `<o:item id="${name}" href="${encodeURI(name)}" media-type="${type}" ${more}/>`,
      )
      .join('')}</o:manifest><o:spine>${Object.entries(items)
      .map(([name, { spine }]) => (spine === undefined ? '' : `<o:itemref idref="${name}" ${spine}/>`))
      .join('')}</o:spine></o:package>`,
    ...Object.fromEntries(Object.entries(items).map(([name, { content }]) => [`OPS/${name}`, content])),
    ...others,
  })
const page = (body: string) => `<html xmlns="http://www.w3.org/1999/xhtml"><body>${body}</body></html>`

describe('a book', () => {
  it('has its notes, wherever they are', async () => {
    const text = await fixture('epub-footnote-aside.epub')
    expect(text).toContain('FOOTNOTE-IN-ASIDE')
    expect(text).toContain('SIDEBAR-IN-ASIDE')
    const chapter = `<main><p>One<a href="notes%201.xhtml#n1">1</a></p></main><article>Two</article><footer>Three</footer>`
    expect(
      await textOf(
        book({
          'unlinked.xhtml': { content: page('NOT LINKED'), spine: 'linear="no"' },
          'notes 1.xhtml': { content: page('<p>LINKED</p>'), spine: 'linear="no"' },
          'a.xhtml': { content: page(chapter), spine: '' },
        }),
      ),
    ).toBe('# Title\n\nOne1\n\nTwo\n\nThree\n\nLINKED')
  })

  it('has only text, and the text that replaces other content', async () => {
    expect(await fixture('epub-jpeg-in-spine.epub')).toBe('# Comic\n\nFALLBACK-TEXT')
    const jpeg = Buffer.from('ffd8ffe000104a464946', 'hex')
    expect(
      await textOf(
        book({
          'p.jpg': { content: jpeg, type: 'image/jpeg', spine: '' },
          'x.xhtml': { content: jpeg, spine: '' },
          's.svg': { content: '<svg/>', type: 'image/svg+xml', more: 'fallback="s.svg"', spine: '' },
          'd.json': { content: '{}', type: 'application/json', more: 'fallback="p2.jpg"', spine: '' },
          'p2.jpg': { content: jpeg, type: 'image/jpeg', more: 'fallback="d.html"' },
          'd.html': { content: page('<p>Read instead</p>'), type: 'text/html' },
        }),
      ),
    ).toBe('# Title\n\nRead instead')
  })

  it('is a failure if it has pictures and no words', async () => {
    const pictures = { 'p.jpg': { content: 'jpeg', type: 'image/jpeg' } }
    const only = { ...pictures, 'a.xhtml': { content: page('<img src="p.jpg" alt="Page 1"/>'), spine: '' } }
    expect(await textOf(book(only))).toMatch(/^no_text: it holds pictures and no text/)
    const short = { ...pictures, 'a.xhtml': { content: page('<p>Goodnight moon</p>'), spine: '' } }
    expect(await textOf(book(short))).toBe('# Title\n\nGoodnight moon')
  })

  it('is decoded as its files declare', async () => {
    expect(await fixture('epub-latin1.epub')).toContain('LATIN1 café größe')
    const content = page('<p>“café”</p>')
    const read = (bytes: Buffer) => textOf(book({ 'a.xhtml': { content: bytes, spine: '' } }))
    const windows = Buffer.from(content.replace('“', '\x93').replace('”', '\x94'), 'latin1')
    const wanted = '# Title\n\n“café”'
    expect(
      await read(Buffer.concat([Buffer.from('<?xml version="1.0" encoding="windows-1252"?>'), windows])),
    ).toBe(wanted)
    expect(await read(windows)).toBe(wanted)
    expect(await read(Buffer.from(`\ufeff${content}`, 'utf16le'))).toBe(wanted)
    expect(await read(Buffer.from(`\ufeff<?xml version="1.0" encoding="utf-8"?>${content}`))).toBe(wanted)
    const cyrillic = Buffer.from(
      '<html><head><meta http-equiv="Content-Type" content="text/html; charset=koi8-r"/></head><body><p>\xf0\xd2\xc9\xd7\xc5\xd4</p></body></html>',
      'latin1',
    )
    expect(await read(cyrillic)).toBe('# Title\n\nПривет')
    const mixed = Buffer.concat([
      Buffer.from('<html><body><p>größe '),
      Buffer.from([0x96]),
      Buffer.from(' ok</p></body></html>'),
    ])
    expect(await read(mixed)).toBe('# Title\n\ngröße – ok')
  })

  it('may have the entities of HTML', async () => {
    expect(await fixture('epub-nbsp-entity.epub')).toContain('5\u00a0km—café … ENTITIES')
    expect(
      await textOf(
        book({
          'a.xhtml': { content: page('<p>&amp;nbsp; &lt;b&gt; &unknown; <![CDATA[x]]></p>'), spine: '' },
        }),
      ),
    ).toBe('# Title\n\n&nbsp; <b> &unknown; x')
  })

  it('is a failure if its text is encrypted, but not if only its fonts are', async () => {
    const encryption = (algorithm: string, file: string) => ({
      'META-INF/encryption.xml': `<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:EncryptionMethod Algorithm="${algorithm}"/><enc:CipherData><enc:CipherReference URI="${file}"/></enc:CipherData></enc:EncryptedData></encryption>`,
    })
    const items = { 'a.xhtml': { content: page('<p>Words</p>'), spine: '' } }
    const aes = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc'
    expect(await textOf(book(items, encryption(aes, 'OPS/a.xhtml')))).toMatch(/^encrypted: /)
    expect(await textOf(book(items, encryption('http://www.idpf.org/2008/embedding', 'OPS/f.otf')))).toBe(
      '# Title\n\nWords',
    )
  })
})
