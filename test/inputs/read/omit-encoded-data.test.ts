import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { omitEncodedData } from '../../../src/inputs/read/omit-encoded-data.ts'
import { createDocumentReader } from '../../../src/inputs/read/read-document.ts'

/** Returns base64 of this many bytes that look random. */
function base64(length: number): string {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let at = 0; at < length; at++) {
    state = (state * 48_271) % 2_147_483_647
    bytes[at] = state
  }
  return bytes.toString('base64')
}

const png = `iVBORw0KGgo${base64(300)}`
const uri = `data:image/png;base64,${png}`

describe('images as data URIs', () => {
  it.each<[string, string, string]>([
    ['Markdown', `![x](${uri}) more`, '![x]([image]) more'],
    ['a Markdown definition', `[x]: <${uri}>\n\nmore`, '[x]: <[image]>\n\nmore'],
    ['HTML', `<img src="${uri}" alt="x">`, '<img src="[image]" alt="x">'],
    ['HTML without quotation marks', `<img src=${uri} alt=x>`, '<img src=[image] alt=x>'],
    ['CSS', `a { background: url(${uri}) no-repeat }`, 'a { background: url([image]) no-repeat }'],
    ['JSON', `{"a": "${uri.replaceAll('/', '\\/')}", "b": 1}`, '{"a": "[image]", "b": 1}'],
    ['JSON that holds HTML', `{"a": "<img src=\\"${uri}\\">"}`, '{"a": "<img src=\\"[image]\\">"}'],
    ['YAML', `a: ${uri}\nb: 1`, 'a: [image]\nb: 1'],
    ['CSV', `1,"${uri}",2`, '1,"[image]",2'],
    ['reStructuredText', `.. image:: ${uri}\n   :alt: x`, '.. image:: [image]\n   :alt: x'],
    ['AsciiDoc', `image::${uri}[x]`, 'image::[image][x]'],
    ['Org', `[[${uri}]]`, '[[[image]]]'],
    ['LaTeX', `\\includegraphics{${uri}}`, '\\includegraphics{[image]}'],
    ['URL encoding', `x="data:image/gif;base64,${encodeURIComponent(png)}"`, 'x="[image]"'],
    ['parameters and capitals', `DATA:image/svg+xml;charset=utf-8;BASE64,${png}`, '[image]'],
    ['percent-encoded SVG', `url("data:image/svg+xml,%3Csvg xmlns='x'%3E%3C/svg%3E") b`, 'url("[image]") b'],
    ['plain SVG', `url(data:image/svg+xml;utf8,<svg fill="rgb(0)"><g/></svg>) b`, 'url([image]) b'],
    ['a short image', 'data:image/gif;base64,R0lGODlhAQ==', '[image]'],
    [
      'other files',
      `data:application/pdf;base64,${png} and data:font/woff2;base64,${png}`,
      '[data] and [data]',
    ],
    ['two images', `${uri} ${uri}`, '[image] [image]'],
  ])('become [image] in %s', (_format, text, expected) => {
    expect(omitEncodedData(text)).toBe(expected)
  })

  it.each(['\n', '\r\n', '\n    ', ' ', '\\n', '\\\n'])('may be broken into lines with %j', (lineBreak) => {
    const broken = uri.replace(/(?<=,.*)/, '').replace(/[\s\S]{76}/g, `$&${lineBreak}`)
    expect(omitEncodedData(`"${broken}" more`)).toBe('"[image]" more')
  })

  it('end before the next word', () => {
    expect(omitEncodedData(`${uri}\nNext1 Words follow`)).toBe('[image]\nNext1 Words follow')
    expect(omitEncodedData(`${uri} next`)).toBe('[image] next')
  })

  it.each([
    'A data URI begins with data:image/png;base64, and goes on.',
    'data:image/png;base64,...',
    'data:text/plain,Hello%20World',
    'The data: image/png, image/jpeg and image/gif are accepted.',
    "img-src 'self' data: https:",
  ])('leave this text unchanged: %s', (text) => {
    expect(omitEncodedData(text)).toBe(text)
  })

  it('are left out of plain text and of documents with readers', async () => {
    const folder = resolve(import.meta.dirname, '../../../fixtures/kinds')
    const read = createDocumentReader({ cwd: folder, stdin: Readable.from([]) })
    expect(await read({ index: 0, path: 'md-data-uri.md', namedByUser: true })).toMatchObject({
      text: expect.stringMatching(/^# Report\n\nFigure: !\[x\]\(\[image\]\)/),
    })
    expect((await readFile(join(folder, 'md-data-uri.md'))).length).toBeGreaterThan(1000)
  })
})

describe('base64 without a data URI', () => {
  it('is left out from 1,000 characters on', () => {
    expect(omitEncodedData(`{"a": "${base64(3000)}"}`)).toBe('{"a": "[data]"}')
    expect(omitEncodedData(`a: iVBORw0KGgo${base64(3000)}`)).toBe('a: [image]')
    expect(omitEncodedData(`a\n${base64(3000).replace(/.{64}/g, '$&\n')}\nb`)).toBe('a\n[data]\nb')
    const key = base64(600)
    expect(omitEncodedData(key)).toBe(key)
  })

  it.each([
    ['DNA', 'ACGTTGCA'.repeat(500)],
    ['hexadecimal', '0123456789abcdef'.repeat(500)],
    ['a rule', '-'.repeat(5000)],
    ['a table', `+${'-'.repeat(78)}+\n`.repeat(100)],
    ['Chinese', '港口委员会决定疏浚航道'.repeat(500)],
    ['prose', 'The board met in room 204 and decided. '.repeat(500)],
  ])('is not mistaken for %s', (_what, text) => {
    expect(omitEncodedData(text)).toBe(text)
  })

  it.each<[string, string]>([
    ['one URI of 10 MB', `data:image/png;base64,${base64(300).replaceAll('=', '').repeat(25_000)}`],
    ['10 MB in lines', `${'Ab1'.repeat(25)}\n`.repeat(130_000)],
    ['runs that are just too short', `${'Ab1'.repeat(333)} `.repeat(10_000)],
    ['beginnings of URIs', 'data:image/png;base64,'.repeat(450_000)],
    ['beginnings of SVG', '(data:image/svg+xml,<svg '.repeat(400_000)],
    ['open quotation marks', '"data:image/svg+xml,abcdefgh '.repeat(300_000)],
  ])('takes linear time for %s', (_what, text) => {
    const start = performance.now()
    omitEncodedData(text)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
