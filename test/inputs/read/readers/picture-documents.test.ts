import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import type { FormatName } from '../../../../src/inputs/read/readers/document-formats.ts'
import { createZip } from '../../../support/zip.ts'

const noText = 'no_text: it holds pictures and no text: nothing to make a summary of'
const read = async (format: FormatName, parts: Readonly<Record<string, string>>) => {
  const result = await convertDocument({ format, pdf: 'text', bytes: createZip(parts) })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}

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
})
