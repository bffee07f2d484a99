import { fileURLToPath } from 'node:url'
import { resolveAsset } from '../../../assets.ts'
import { joinMarked, type Mark, type MarkedPart } from '../../../core/document/mark.ts'
import { checkTextLength } from './reader-limits.ts'
import { joinInReadingOrder, type TextPiece } from './reading-order.ts'
import { UnreadableError } from './unreadable-error.ts'

/** Maximum number of pages. A longer PDF is a collection of documents. */
const maxPages = 5000

/** Minimum characters per page, without white space. A stamp or a page number on a scanned page has fewer. */
const minCharsPerPage = 32

/**
 * `text`: extract text, never upload; `native`: upload the PDF; `auto`: extract text, upload scanned PDFs.
 */
export type PdfMode = 'auto' | 'text' | 'native'

/** The text of a PDF; or its number of pages, if the PDF is uploaded. */
export interface PdfContent {
  readonly text: string
  readonly pages?: number
  /** Where each page begins in the text. */
  readonly marks?: readonly Mark[]
}

/**
 * Returns the text of a PDF page by page, in the order in which it was written. Nothing in the PDF is
 * executed, and nothing is fetched. Library: pdfjs-dist, with its tables for Chinese, Japanese and Korean
 * fonts.
 * @param mode with `native`, only the number of pages is returned
 * @throws UnreadableError if the PDF has a password or too many pages, or, in mode `text`, if its pages are
 *   images
 */
export async function readPdf(bytes: Uint8Array, mode: PdfMode): Promise<PdfContent> {
  const { getDocument } = await loadPdfjs()
  const loading = getDocument({
    data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    verbosity: 0,
    isEvalSupported: false,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    cMapUrl: fileURLToPath(resolveAsset('../dist/cmaps/')),
    cMapPacked: true,
  })
  try {
    const document = await loading.promise.catch((error: unknown) => {
      throw (error as Error).name === 'PasswordException'
        ? new UnreadableError('encrypted', 'it is protected by a password')
        : error
    })
    const { numPages: pageCount } = document
    if (pageCount > maxPages)
      throw new UnreadableError('too_complex', `it has ${pageCount} pages, more than ${maxPages}; split it`)
    if (mode === 'native') return { text: '', pages: pageCount }
    const pages: MarkedPart[] = []
    let [length, solidChars] = [0, 0]
    for (let number = 1; number <= pageCount; number++) {
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      const lines: TextPiece[][] = [[]]
      for (const item of items) {
        if (!('str' in item)) continue
        lines.at(-1)?.push(item as TextPiece)
        if (item.hasEOL) lines.push([])
      }
      const text = lines.map(joinInReadingOrder).join('\n').trim()
      page.cleanup()
      length += text.length
      checkTextLength(length)
      solidChars += text.replace(/\s+/g, '').length
      pages.push({ text, kind: 'page', label: String(number) })
    }
    if (solidChars >= minCharsPerPage * pageCount) return joinMarked(pages, '\n\n')
    if (mode === 'auto') return { text: '', pages: pageCount }
    throw new UnreadableError('no_text', describeMissingText(solidChars, pageCount))
  } finally {
    await loading.destroy()
  }
}

/**
 * Loads pdfjs for text extraction. Its drawing code creates a matrix while loading, which only browsers have;
 * extraction does not need one. Its worker is imported here, because it would otherwise start a thread inside
 * this thread.
 */
async function loadPdfjs() {
  const globals = globalThis as { DOMMatrix?: unknown; pdfjsWorker?: unknown }
  globals.DOMMatrix ??= class {}
  globals.pdfjsWorker ??= await import('pdfjs-dist/legacy/build/pdf.worker.min.mjs')
  return import('pdfjs-dist/legacy/build/pdf.min.mjs')
}

function describeMissingText(solidChars: number, pages: number): string {
  const on = pages === 1 ? 'its one page' : `its ${pages} pages`
  const found = solidChars === 0 ? `no text on ${on}` : `hardly any text on ${on} (${solidChars} characters)`
  return `${found}; is it a scan? make it searchable first, for example with ocrmypdf`
}
