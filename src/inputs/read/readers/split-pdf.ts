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

interface PdfLimits {
  readonly pages: number
  readonly bytes: number
}

async function splitLoadedPdf(
  { base64 }: Pdf,
  { pages: maxPages, bytes: maxBytes }: PdfLimits,
): Promise<Pdf[]> {
  const lib = await import('pdf-lib')
  const { PDFDocument } = lib
  const whole = await PDFDocument.load(base64, { updateMetadata: false })
  prunePdfPages(lib, whole)
  const chunks: Pdf[] = []
  const addChunk = async (from: number, to: number): Promise<void> => {
    const chunk = await PDFDocument.create({ updateMetadata: false })
    const numbers = Array.from({ length: to - from }, (_, n) => from + n)
    for (const page of await chunk.copyPages(whole, numbers)) chunk.addPage(page)
    // Without object streams, readers need not decompress the PDF first.
    const bytes = await chunk.save({ useObjectStreams: false })
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
