import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import type { FormatName } from '../../../../src/inputs/read/readers/document-formats.ts'
import { createZip } from '../../../support/zip.ts'

const noText = 'no_text: it holds pictures and no text: nothing to make a summary of'
const readBytes = async (format: FormatName, bytes: Buffer) => {
  const result = await convertDocument({ format, pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}
const read = (format: FormatName, parts: Readonly<Record<string, string>>) =>
  readBytes(format, createZip(parts))

const slides = (text: string) => ({
  'ppt/presentation.xml': '<p:presentation><p:sldId r:id="r1"/></p:presentation>',
  'ppt/_rels/presentation.xml.rels':
    '<Relationships><Relationship Id="r1" Type="x/slide" Target="s1.xml"/></Relationships>',
  'ppt/s1.xml': `<p:sld><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:sld>`,
})
const openDocument = (type: string, content: string) => ({
  mimetype: `application/vnd.oasis.opendocument.${type}`,
  'content.xml': `<office:document-content><office:body>${content}</office:body></office:document-content>`,
})
const odt = (text: string) => openDocument('text', `<text:h text:outline-level="2">${text}</text:h>`)
const odp = (text: string) => openDocument('presentation', `<draw:page><text:p>${text}</text:p></draw:page>`)
const ods = (text: string) =>
  openDocument(
    'spreadsheet',
    `<office:spreadsheet><table:table table:name="Sheet1"><table:table-row><table:table-cell><text:p>${text}</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>`,
  )

describe('a document without words', () => {
  it.each<[string, FormatName, (text: string) => Readonly<Record<string, string>>, string]>([
    ['presentation', 'pptx', slides, 'media/image1.png'],
    ['OpenDocument text', 'odf', odt, 'Pictures/1.jpg'],
    ['OpenDocument presentation', 'odf', odp, 'Pictures/1.svg'],
    ['OpenDocument spreadsheet', 'odf', ods, 'Pictures/1.PNG'],
  ])(
    'is a failure if it is a %s with pictures, and empty without',
    async (_name, format, create, picture) => {
      expect(await read(format, { ...create(''), [picture]: '' })).toBe(noText)
      expect(await read(format, { ...create('3'), [picture]: '' })).toBe(noText)
      expect(await read(format, { ...create(''), 'Thumbnails/thumbnail.png': '' })).toBe('')
      expect(await read(format, { ...create('Closed'), [picture]: '' })).toContain('Closed')
    },
  )

  it('is a failure if it is an RTF file with pictures, and empty without', async () => {
    const rtf = (content: string) => readBytes('rtf', Buffer.from(`{\\rtf1 ${content}}`))
    expect(await rtf('{\\pict\\pngblip 89504e47}')).toBe(noText)
    expect(await rtf('\\par')).toBe('')
    expect(await rtf('Closed {\\pict\\pngblip 89504e47}')).toContain('Closed')
  })

  it.each([
    ['PNG', '89504e470d0a'],
    ['JPEG', 'ffd8ffe0'],
    ['EMF', '503d1af0'],
    ['WMF', '60211bf0'],
  ])('is a failure if it is a Word 97 document with a picture: %s', async (_name, signature) => {
    const bytes = await readFile(resolve(import.meta.dirname, '../../../../fixtures/kinds/libreoffice.doc'))
    // The lengths of its texts.
    const lengthsAt = bytes.indexOf('eca5', 'hex') + 0x4c
    bytes.fill(0, lengthsAt, lengthsAt + 32)
    expect(await readBytes('doc', bytes)).toBe('')
    expect(await readBytes('doc', Buffer.concat([bytes, Buffer.from(signature, 'hex')]))).toBe(noText)
  })
})
