import type { PDFDocument } from 'pdf-lib'
import type { Pdf } from '../../../core/document/document.ts'
import { prunePdfPages } from './prune-pdf-pages.ts'
import { UnreadableError } from './unreadable-error.ts'

/**
 * Splits a PDF into consecutive PDFs within the limits of pages and bytes. The same PDF is always split in
 * the same way. Library: pdf-lib.
 * @throws UnreadableError if a single page is too large, or if the PDF cannot be split
 */
export async function splitPdf(pdf: Pdf, limits: PdfLimits): Promise<Pdf[]> {
  try {
    return await splitLoadedPdf(pdf, limits)
  } catch (error) {
    if (error instanceof UnreadableError) throw error
    throw new UnreadableError('malformed', `cannot be cut into parts: ${(error as Error).message}`)
  }
}

/**
 * Returns a PDF of some pages of another one. @param numbers the pages, from 1
 * @throws Error if the PDF cannot be taken apart
 */
export async function extractPdfPages(bytes: Uint8Array, numbers: readonly number[]): Promise<Uint8Array> {
  const lib = await import('pdf-lib')
  const whole = await lib.PDFDocument.load(bytes, { updateMetadata: false })
  prunePdfPages(lib, whole)
  return copyPages(
    lib,
    whole,
    numbers.map((number) => number - 1),
  )
}

interface PdfLimits {
  readonly pages: number
  readonly bytes: number
}

async function splitLoadedPdf(
  { base64 }: Pdf,
  { pages: maxPages, bytes: maxBytes }: PdfLimits,
): Promise<Pdf[]> {
  const lib = await import('pdf-lib')
  const whole = await lib.PDFDocument.load(base64, { updateMetadata: false })
  prunePdfPages(lib, whole)
  const chunks: Pdf[] = []
  const addChunk = async (from: number, to: number): Promise<void> => {
    const numbers = Array.from({ length: to - from }, (_, n) => from + n)
    const bytes = await copyPages(lib, whole, numbers)
    if (bytes.length <= maxBytes) {
      chunks.push({ base64: Buffer.from(bytes).toString('base64'), pages: numbers.length })
      return
    }
    if (numbers.length === 1)
      throw new UnreadableError('too_large', `its page ${to} alone has more than ${maxBytes / 1e6} MB`)
    const middle = Math.ceil((from + to) / 2)
    await addChunk(from, middle)
    await addChunk(middle, to)
  }
  const count = whole.getPageCount()
  for (let from = 0; from < count; from += maxPages) await addChunk(from, Math.min(count, from + maxPages))
  return chunks
}

async function copyPages(
  { PDFDocument }: typeof import('pdf-lib'),
  whole: PDFDocument,
  indexes: number[],
): Promise<Uint8Array> {
  const copy = await PDFDocument.create({ updateMetadata: false })
  for (const page of await copy.copyPages(whole, indexes)) copy.addPage(page)
  // Without object streams, readers need not decompress the PDF first.
  return copy.save({ useObjectStreams: false })
}
