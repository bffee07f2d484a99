import { fileURLToPath } from 'node:url'
import { shipped } from '../../../assets.ts'
import { checkLength } from './limits.ts'
import { lineOf, type Piece } from './reading-order.ts'
import { Unreadable } from './unreadable.ts'

/** Pages. A longer one is a collection of documents. */
const mostPages = 5000

/** Characters that are no white space. What a stamp or a page number on a scanned page comes to is less. */
const leastPerPage = 32

/** `text`: its text, or nothing; `native`: as it is; `auto`: as it is where its pages are pictures. */
export type PdfWish = 'auto' | 'text' | 'native'

/** Its text; or how many pages it has, where it is to be sent as it is. */
export interface PdfContent {
  readonly text: string
  readonly pages?: number
}

/**
 * The text of a PDF, in the order in which it was written, a page after the other. Nothing of it is run, and nothing is
 * fetched. Library: pdfjs-dist, with its tables for Chinese, Japanese and Korean fonts.
 * @param wanted `native`: only how many pages it has
 * @throws Unreadable for one that is protected or broken, or, where only its text is wanted, whose pages are pictures
 */
export async function readPdf(bytes: Uint8Array, wanted: PdfWish): Promise<PdfContent> {
  const { getDocument } = await library()
  const loading = getDocument({
    data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    verbosity: 0,
    isEvalSupported: false,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    cMapUrl: fileURLToPath(shipped('../dist/cmaps/')),
    cMapPacked: true,
  })
  try {
    const document = await loading.promise.catch((error: unknown) => {
      throw (error as Error).name === 'PasswordException'
        ? new Unreadable('encrypted', 'it is protected by a password')
        : error
    })
    const { numPages: count } = document
    if (count > mostPages)
      throw new Unreadable('too_complex', `it has ${count} pages, more than ${mostPages}; split it`)
    if (wanted === 'native') return { text: '', pages: count }
    const pages: string[] = []
    let [length, solid] = [0, 0]
    for (let number = 1; number <= count; number++) {
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      const lines: Piece[][] = [[]]
      for (const item of items) {
        if (!('str' in item)) continue
        lines.at(-1)?.push(item as Piece)
        if (item.hasEOL) lines.push([])
      }
      const text = lines.map(lineOf).join('\n').trim()
      page.cleanup()
      length += text.length
      checkLength(length)
      solid += text.replace(/\s+/g, '').length
      if (text !== '') pages.push(text)
    }
    if (solid >= leastPerPage * count) return { text: pages.join('\n\n') }
    if (wanted === 'auto') return { text: '', pages: count }
    throw new Unreadable('no_text', tooLittle(solid, count))
  } finally {
    await loading.destroy()
  }
}

/**
 * It can draw, too, for which it makes a matrix as it loads and looks for a canvas; a browser has both, and text needs
 * neither. Its other half, which reads, would be a thread of its own, within ours.
 */
async function library() {
  const anywhere = globalThis as { DOMMatrix?: unknown; pdfjsWorker?: unknown }
  anywhere.DOMMatrix ??= class {}
  anywhere.pdfjsWorker ??= await import('pdfjs-dist/legacy/build/pdf.worker.min.mjs')
  return import('pdfjs-dist/legacy/build/pdf.min.mjs')
}

function tooLittle(solid: number, pages: number): string {
  const on = pages === 1 ? 'its one page' : `its ${pages} pages`
  const found = solid === 0 ? `no text on ${on}` : `hardly any text on ${on} (${solid} characters)`
  return `${found}; is it a scan? make it searchable first, for example with ocrmypdf`
}
