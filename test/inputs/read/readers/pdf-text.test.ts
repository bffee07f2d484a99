import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import type { PdfMode } from '../../../../src/inputs/read/readers/pdf.ts'
import { createPdf, image, show, type TestPage, type TestPdfOptions, toStream } from '../../../support/pdf.ts'

const read = async (bytes: Buffer, pdf: PdfMode = 'text') => convertDocument({ format: 'pdf', pdf, bytes })
const readCase = async (name: string, mode?: PdfMode) =>
  read(await readFile(resolve(import.meta.dirname, '../../../../fixtures/kinds', name)), mode)
const textOf = async (pages: readonly TestPage[], options?: TestPdfOptions) => {
  const result = await read(createPdf(pages, options))
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}
const sentence = 'The ferry to the island leaves from the northern harbour at seven.'
const textPage: TestPage = { content: show(sentence) }
const scan: TestPage = { content: image }

describe('the pages of a PDF', () => {
  it('are uploaded if at least half of them are scans, and named in the text with --pdf text', async () => {
    expect(await readCase('pdf-cover-text-then-scans.pdf', 'auto')).toMatchObject({ text: '', pages: 10 })
    const { text } = (await readCase('pdf-cover-text-then-scans.pdf')) as { text: string }
    expect(text).toMatch(/^Cover letter line 0: please/)
    expect(text.match(/\[page \d+: no text, perhaps a scan\]/g)).toHaveLength(9)
  })

  it('are uploaded next to the text of the others if fewer are scans', async () => {
    const stamped = { content: image + show('Received 12 May') }
    const bytes = createPdf([textPage, scan, textPage, textPage, stamped])
    const result = await read(bytes, 'auto')
    expect(result).toMatchObject({
      pages: 2,
      text: `${sentence}

[page 2: no text; it is page 1 of the attached PDF]

${sentence}

${sentence}

[page 5: no text; it is page 2 of the attached PDF]
Received 12 May`,
    })
    const { scans } = result as { scans: Uint8Array }
    expect(await read(Buffer.from(scans), 'auto')).toMatchObject({ pages: 2 })
    expect(Buffer.from(scans).toString('latin1')).not.toContain('/Annots [ <<')
  })

  it('are scans if they consist of inline images or of letters converted to outlines', async () => {
    const inline = 'q 600 0 0 800 0 0 cm BI /W 8 /H 8 /BPC 8 /CS /G ID '.concat('x'.repeat(64), ' EI Q')
    const outlines = Array.from({ length: 100 }, (_, n) => `${n} 9 m 5 ${n} l 7 7 l f`).join('\n')
    const form = toStream(
      '/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</Im1 4 0 R>>>>',
      image,
    )
    expect(
      await textOf(
        [
          textPage,
          { content: inline },
          { content: outlines },
          { content: '/X Do', resources: '/XObject<</X 10 0 R>>' },
        ],
        { objects: [form] },
      ),
    ).toBe(`${sentence}\n\n${[2, 3, 4].map((n) => `[page ${n}: no text, perhaps a scan]`).join('\n\n')}`)
  })

  it('are not scans if they are empty or short and have no picture', async () => {
    const line = '0 0 m 100 0 l S\n'
    const pages = [textPage, { content: '' }, { content: line + show('Part II') }, textPage]
    expect(await read(createPdf(pages), 'auto')).toMatchObject({
      text: `${sentence}\n\nPart II\n\n${sentence}`,
    })
    expect(await read(createPdf([{ content: show('Yes.') }]), 'auto')).toMatchObject({ text: 'Yes.' })
  })

  it('are scans without any text', async () => {
    expect(await read(createPdf([scan, scan]), 'auto')).toMatchObject({ pages: 2 })
    expect(await textOf([scan, scan])).toMatch(/^no_text: no text on its 2 pages; is it a scan\?/)
  })

  it('have no control characters for symbols that the font does not name', async () => {
    const map = toStream(
      '',
      'begincmap 1 begincodespacerange <00> <ff> endcodespacerange 2 beginbfrange <20> <7d> <0020> <7e> <7e> <0002> endbfrange endcmap',
    )
    const options = { font: '/ToUnicode 10 0 R', objects: [map] }
    expect(await textOf([{ content: show(`~${sentence}`) }], options)).toBe(sentence)
  })

  it('have no text if their font does not name its characters', async () => {
    const map = (codes: string) =>
      toStream(
        '',
        `1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <20> <7e> <${codes}> endbfrange`,
      )
    for (const codes of ['E020', '0001']) {
      const options = { font: '/ToUnicode 10 0 R', objects: [map(codes)] }
      expect(await textOf([textPage], options)).toMatch(/^no_text/)
      expect(await read(createPdf([textPage], options), 'auto')).toMatchObject({ pages: 1 })
    }
  })
})

describe('the text of a PDF', () => {
  it.each([
    ['Japan1', '90ms-RKSJ-H', '8d60 8cfb', '港口'],
    ['Korea1', 'UniKS-UCS2-V', 'd56d ad6c', '항구'],
    ['GB1', 'GBK-EUC-H', 'b8db bfda', '港口'],
    ['CNS1', 'ETen-B5-H', 'b4e4 a466', '港口'],
  ])(
    'is read if its font is one of %s, which PDFs need not contain',
    async (ordering, encoding, codes, text) => {
      const font = `<</Type/Font/Subtype/Type0/BaseFont/Any/Encoding/${encoding}/DescendantFonts[11 0 R]>>`
      const system = `<</Registry(Adobe)/Ordering(${ordering})/Supplement 2>>`
      const characters = `<</Type/Font/Subtype/CIDFontType0/BaseFont/Any/CIDSystemInfo${system}/FontDescriptor 12 0 R>>`
      const descriptor = '<</Type/FontDescriptor/FontName/Any/Flags 4>>'
      const page = { content: `BT /F1 10 Tf 50 700 Td <${codes}> Tj ET` }
      const options = { objects: [font, characters, descriptor], sharedResources: '/Font<</F1 10 0 R>>' }
      expect(await textOf([page], options)).toBe(text)
    },
  )

  it('has spaces between pieces that do not touch, in any order', async () => {
    expect(await readCase('pdf-backward-columns.pdf')).toMatchObject({
      text: '37,499.96 DIRECTOR BAIN\n21,000.00 ASSISTANT SMITH\n9 CLERK 12 JONES',
    })
  })

  it('has words once that are drawn several times for bold letters or shadows', async () => {
    const twice =
      show('Total amount', 50, 700) + show('Total amount', 50.3, 700) + show('Total amount', 51, 699)
    expect(await textOf([{ content: twice + show('Total amount', 50, 650) }])).toBe(
      'Total amount\nTotal amount',
    )
  })

  it('keeps equal letters next to each other', async () => {
    const letters = ['b', 'i', 'l', 'l', 'l', 'l', 's']
      .map((letter, n) => show(letter, 50 + n * 2.3))
      .join('')
    expect((await textOf([{ content: letters }])).replaceAll(' ', '')).toBe('billlls')
  })

  it('has words whole that are hyphenated at the end of a line', async () => {
    const lines = [
      'The time-',
      'table is well-',
      'known, a well-known docu-',
      'ment of Anglo-',
      'American pre-',
      'and postwar his\\255',
      'tory',
    ]
    expect(await textOf([{ content: lines.map((line, n) => show(line, 50, 700 - 12 * n)).join('') }])).toBe(
      'The timetable is well-known, a well-known document of Anglo-American pre-\nand postwar history',
    )
  })
})

/** Encrypts with RC4, as PDF 1.1 does. */
function encrypt(key: Buffer, text: string): string {
  const state = Array.from({ length: 256 }, (_, n) => n)
  const swap = (i: number, j: number) => ([state[i], state[j]] = [state[j] as number, state[i] as number])
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + (state[i] as number) + (key[i % key.length] as number)) & 255
    swap(i, j)
  }
  let [i, j] = [0, 0]
  const bytes = Buffer.from(text, 'latin1').map((byte) => {
    i = (i + 1) & 255
    j = (j + (state[i] as number)) & 255
    swap(i, j)
    return byte ^ (state[((state[i] as number) + (state[j] as number)) & 255] as number)
  })
  return Buffer.from(bytes).toString('latin1')
}

/** Returns an encrypted PDF that needs a password for changes, but none for reading. */
function createEncryptedPdf(contents: readonly string[], catalog = ''): Buffer {
  const md5 = (...parts: Buffer[]) => createHash('md5').update(Buffer.concat(parts)).digest()
  const padding = Buffer.from('28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A', 'hex')
  const [owner, id, permissions] = [Buffer.alloc(32, 7), Buffer.alloc(16, 1), Buffer.alloc(4, 0xfc)]
  const key = md5(padding, owner, permissions, id).subarray(0, 5)
  const user = Buffer.from(encrypt(key, padding.toString('latin1')), 'latin1').toString('hex')
  const dictionary = `<</Filter/Standard/V 1/R 2/P ${permissions.readInt32LE()}/O<${owner.toString('hex')}>/U<${user}>>>`
  const pages = contents.map((content, n) => {
    const number = Buffer.from([12 + 2 * n, 0, 0, 0, 0])
    return { content: encrypt(md5(key, number).subarray(0, 10), content) }
  })
  const trailer = `/Encrypt 10 0 R/ID[<${id.toString('hex')}><${id.toString('hex')}>]`
  return createPdf(pages, { objects: [dictionary], trailer, catalog })
}

describe('an encrypted PDF that opens without a password', () => {
  it('is read as text, also with --pdf native, because the API refuses it', async () => {
    for (const mode of ['text', 'auto', 'native'] as const)
      expect(await read(createEncryptedPdf([show(sentence)]), mode)).toMatchObject({ text: sentence })
  })

  it('is a failure if it is an XFA form', async () => {
    const form = createEncryptedPdf([show('Please wait')], '/AcroForm<</Fields[]/XFA 4 0 R>>')
    expect(await read(form)).toMatchObject({
      type: 'encrypted',
      message: expect.stringContaining('XFA form'),
    })
  })

  it('is not uploaded if pages are scans', async () => {
    expect(await read(createEncryptedPdf([show(sentence), image]), 'auto')).toMatchObject({
      text: `${sentence}\n\n[page 2: no text, perhaps a scan]`,
    })
    expect(await read(createEncryptedPdf([image]), 'auto')).toMatchObject({
      type: 'no_text',
      message: expect.stringMatching(/it is encrypted, so that it cannot be uploaded; decrypt it first/),
    })
  })
})
