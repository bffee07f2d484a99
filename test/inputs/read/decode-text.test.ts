import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeText, describeEncoding } from '../../../src/inputs/read/decode-text.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const german = 'Größe, Übung, Ärger, naïve Cafés. '
const fixture = (name: string) => readFile(resolve(import.meta.dirname, '../../../fixtures/kinds', name))

describe('decodeText', () => {
  const nearly = Buffer.concat([Buffer.from(german), latin1('one stray \xfc and \x93quotes\x94')])

  it.each([undefined, 'auto', 'shift_jis'])(
    'reads nearly valid UTF-8 as UTF-8, and its other bytes as windows-1252, with the encoding %s',
    async (encoding) => {
      const decoded = await decodeText(nearly, { encoding })
      expect(decoded).toEqual({ text: `${german}one stray ü and “quotes”`, invalidBytes: 3 })
      expect(describeEncoding({ text: '', invalidBytes: 3 })).toContain('windows-1252')
      const page = await decodeText(await fixture('html-one-bad-byte.html'), { encoding, isHtml: true })
      expect(page).toMatchObject({ text: expect.stringMatching(/Größe Übung [\s\S]* ä one stray byte/) })
    },
  )

  it('reads a text that was cut inside a character', async () => {
    expect(await decodeText(Buffer.from(german + german).subarray(0, -4), {})).toMatchObject({
      invalidBytes: 1,
    })
  })

  it('reads a page with few characters that declares UTF-8 as UTF-8', async () => {
    const page = Buffer.concat([Buffer.from('<meta charset=utf-8>é '), latin1('\xe9')])
    expect(await decodeText(page, { isHtml: true })).toMatchObject({ text: '<meta charset=utf-8>é é' })
    expect(await decodeText(page, {})).toMatchObject({ type: 'not_utf8' })
  })

  it.each<[string, string]>([
    [
      'late in the page',
      `<title>${'x'.repeat(5000)}</title><style>${'y'.repeat(90_000)}</style><meta charset="koi8-r">`,
    ],
    ['with the content first', '<meta content="text/html; charset=KOI8-R" http-equiv=Content-Type>'],
    [
      'after a comment and a script that name others',
      '<!-- <meta charset=big5> --><script>"<meta charset=big5>"</script><meta charset=koi8-r>',
    ],
    ['in an XML declaration', '<?xml version="1.0" encoding="koi8-r"?>'],
    ['in the body', '<body><p>x<meta charset=koi8-r>'],
  ])('honors a character set that is declared %s', async (_where, declaration) => {
    const bytes = Buffer.concat([latin1(declaration), Buffer.from('f0d2c9d7c5d4', 'hex')])
    expect(await decodeText(bytes, { isHtml: true })).toEqual({ text: `${declaration}Привет` })
  })

  it('does not take a description for a declaration', async () => {
    const page = latin1('<meta name=description content="charset=koi8-r"><meta charset=iso-8859-1>\xe9')
    expect(await decodeText(page, { isHtml: true })).toMatchObject({ text: expect.stringMatching(/é$/) })
  })

  it('honors the XML declaration of plain text', async () => {
    const text = '<?xml version="1.0" encoding="ISO-8859-2"?><a>\xb1</a>'
    expect(await decodeText(latin1(text), {})).toEqual({ text: text.replace('\xb1', 'ą') })
  })

  it.each<[string, string, string]>([
    ['utf-16le', 'Hello, world\r\n', Buffer.from('Hello, world\r\n', 'utf16le').toString('latin1')],
    ['utf-16be', '你好，世界\n', Buffer.from('你好，世界\n', 'utf16le').swap16().toString('latin1')],
    ['utf-16le', 'Привет, мир', Buffer.from('Привет, мир', 'utf16le').toString('latin1')],
    ['iso-2022-jp', 'こん a', '\x1b$B$3$s\x1b(B a'],
  ])('detects %s without a byte-order mark', async (encoding, text, bytes) => {
    expect(await decodeText(latin1(bytes), {})).toEqual({ text, encoding })
  })

  it.each<[string, string]>([
    ['numbers', '\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00'],
    ['text with NUL bytes', 'a\x00b c\x00d e\x00f g'],
  ])('takes %s for binary', async (_what, bytes) => {
    expect(await decodeText(latin1(bytes), {})).toMatchObject({ type: 'binary' })
  })

  it('ignores a few NUL bytes in a page, as browsers do', async () => {
    const page = `<p>${'word '.repeat(100)}`
    expect(await decodeText(latin1(`${page}\0`), { isHtml: true })).toEqual({ text: page })
  })

  it('reads terminal colors as they are', async () => {
    expect(await decodeText(latin1('\x1b[31mred'), {})).toEqual({ text: '\x1b[31mred' })
  })
})
