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
    expect(await read(createPdf(pages), 'auto')).toEqual({ text: `${sentence}\n\nPart II\n\n${sentence}` })
    expect(await read(createPdf([{ content: show('Yes.') }]), 'auto')).toEqual({ text: 'Yes.' })
  })

  it('are scans without any text', async () => {
    expect(await read(createPdf([scan, scan]), 'auto')).toMatchObject({ pages: 2 })
    expect(await textOf([scan, scan])).toMatch(/^no_text: no text on its 2 pages; is it a scan\?/)
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
  it('has spaces between pieces that do not touch, in any order', async () => {
    expect(await readCase('pdf-backward-columns.pdf')).toEqual({
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
