import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { detectFormat, findFormatByName } from '../../../../src/inputs/read/readers/document-formats.ts'
import { createCompoundFile } from '../../../support/compound.ts'
import { createZip, readZip } from '../../../support/zip.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const fixture = (name: string) => readFile(join(folder, name))

const read = async (name: string, bytes: Buffer) => {
  const format = findFormatByName(name)
  if (format === undefined) throw new Error(`${name} has no reader`)
  const result = await convertDocument({ format, pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}

const archives = [
  'libreoffice.docx',
  'pandoc.docx',
  'libreoffice.xlsx',
  'pandoc.pptx',
  'libreoffice.odt',
  'pandoc.odt',
  'libreoffice.ods',
  'libreoffice.odp',
  'pandoc.epub',
  'pptx-chart.pptx',
  'pptx-smartart.pptx',
  'xlsx-comment-textbox.xlsx',
  'ods-repeat-covered-hidden.ods',
]

/** Returns XML with other prefixes. The default namespace gets one, unless there are several. */
function renamePrefixes(xml: string): string {
  const renamed = xml
    .replace(/(<\/?)(\w+):/g, '$1q-$2:')
    .replace(/(\s)(?!xmlns|xml:)(\w+):(\w[\w-]*=["'])/g, '$1q-$2:$3')
    .replace(/(\s)xmlns:(?=\w)/g, '$1xmlns:q-')
  if ((renamed.match(/\sxmlns=/g) ?? []).length !== 1) return renamed
  return renamed.replace(/(<\/?)([A-Za-z][\w-]*)(?=[\s/>])/g, '$1d:$2').replace(/\sxmlns=/, ' xmlns:d=')
}

describe('documents in zip archives', () => {
  it.each(archives)('the text of %s does not depend on the prefixes of its tags', async (name) => {
    const bytes = await fixture(name)
    const parts = Object.entries(await readZip(bytes)).map(([part, content]) => [
      part,
      /\.(?:xml|rels|opf|xhtml)$/.test(part) && !part.includes('[Content_Types]')
        ? renamePrefixes(content.toString())
        : content,
    ])
    expect(await read(name, createZip(Object.fromEntries(parts)))).toBe(await read(name, bytes))
  })

  it('a workbook whose tags have a prefix is read', async () => {
    expect(await read('x.xlsx', await fixture('xlsx-x-prefix.xlsx'))).toBe('## Data\nPREFIXED | 4711')
  })

  it('the addresses of strict Office Open XML are known', async () => {
    for (const name of ['libreoffice.xlsx', 'pptx-chart.pptx', 'pandoc.docx']) {
      const bytes = await fixture(name)
      const parts = Object.entries(await readZip(bytes)).map(([part, content]) => [
        part,
        content
          .toString('latin1')
          .replace(/http:\/\/schemas\.openxmlformats\.org\/([a-zA-Z]+)\/2006\//g, (all, area: string) =>
            area === 'package' ? all : `http://purl.oclc.org/ooxml/${area}/`,
          ),
      ])
      const latin1 = parts.map(([part, content]) => [part, Buffer.from(content as string, 'latin1')])
      expect([name, await read(name, createZip(Object.fromEntries(latin1)))]).toEqual([
        name,
        await read(name, bytes),
      ])
    }
  })

  it.each(archives)('bytes after the end of %s are ignored', async (name) => {
    const bytes = await fixture(name)
    const text = await read(name, bytes)
    for (const extra of [
      '\n',
      '\0'.repeat(70_000),
      'PK\x05\x06',
      `PK\x05\x06${'\0'.repeat(14)}\xff\xff\xff\xff`,
    ])
      expect(await read(name, Buffer.concat([bytes, Buffer.from(extra, 'latin1')]))).toBe(text)
  })

  it('a newline after the archive does not make a document unreadable', async () => {
    expect(await read('x.docx', await fixture('zip-newline-after.docx'))).toContain('This paragraph')
  })

  it('many false ends of an archive take little time', async () => {
    const bytes = Buffer.concat([await fixture('pandoc.docx'), Buffer.from('PK\x05\x06'.repeat(500_000))])
    const started = performance.now()
    expect(await read('x.docx', bytes)).toContain('Norvik')
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  it('a main part in an unusual place is found by its relation', async () => {
    for (const [name, from, to] of [
      ['libreoffice.xlsx', 'xl/workbook.xml', 'xl/book2.xml'],
      ['pandoc.pptx', 'ppt/presentation.xml', 'ppt/show.xml'],
    ] as const) {
      const bytes = await fixture(name)
      const rename = (part: string) =>
        part === from ? to : part.replace(from.replace('/', '/_rels/'), to.replace('/', '/_rels/'))
      const parts = Object.entries(await readZip(bytes)).map(([part, content]) => [
        rename(part),
        part === '_rels/.rels' ? content.toString().replace(from, to) : content,
      ])
      expect(await read(name, createZip(Object.fromEntries(parts)))).toBe(await read(name, bytes))
    }
  })
})

describe('encrypted documents', () => {
  const encrypted = 'encrypted: it is protected by a password'

  it.each(['odt', 'ods', 'odp'])('an .%s file with a password is a failure', async (extension) => {
    expect(await read(`x.${extension}`, await fixture('odt-password.odt'))).toBe(encrypted)
  })

  it('an OpenDocument file that is encrypted as a whole is a failure', async () => {
    const manifest = `<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><file-entry m:full-path="encrypted-package"><encryption-data m:checksum=""/></file-entry></manifest>`
    const bytes = createZip({ 'META-INF/manifest.xml': manifest, 'encrypted-package': 'x' })
    expect(await read('x.odt', bytes)).toBe(encrypted)
  })

  it('an OpenDocument file with encrypted macros only is read', async () => {
    const parts = await readZip(await fixture('libreoffice.odt'))
    const manifest = parts['META-INF/manifest.xml']?.toString() ?? ''
    const entry = `<manifest:file-entry manifest:full-path="Basic/x.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>`
    const changed = manifest.replace('</manifest:manifest>', entry)
    expect(changed).toContain('Basic/x.xml')
    expect(await read('x.odt', createZip({ ...parts, 'META-INF/manifest.xml': changed }))).toContain('Norvik')
  })

  it.each(['docx', 'xlsx', 'pptx', ''])('an encrypted Office file is a failure (.%s)', (extension) => {
    const bytes = createCompoundFile({ EncryptedPackage: Buffer.alloc(600), EncryptionInfo: Buffer.alloc(9) })
    expect(detectFormat(`x.${extension}`, bytes)).toMatchObject({ action: 'fail', type: 'encrypted' })
  })

  it('an old Office file is not an encrypted one', () => {
    const bytes = createCompoundFile({
      ObjectPool: { EncryptedPackage: Buffer.alloc(9) },
      Workbook: Buffer.alloc(9),
    })
    expect(detectFormat('x.xls', bytes)).toMatchObject({ type: 'binary' })
  })
})
