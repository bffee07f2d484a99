import type { Pdf } from '../../../core/document/document.ts'
import { Unreadable } from './unreadable.ts'

/**
 * Cuts a PDF into some of at most so many pages and bytes, in order; the same one is always cut the same way. Library:
 * pdf-lib.
 * @throws Unreadable where a single page is too large, or it cannot be cut
 */
export async function splitPdf(pdf: Pdf, most: MostOfPdf): Promise<Pdf[]> {
  try {
    return await cutUp(pdf, most)
  } catch (error) {
    if (error instanceof Unreadable) throw error
    throw new Unreadable('malformed', `cannot be cut into parts: ${(error as Error).message}`)
  }
}

interface MostOfPdf {
  readonly pages: number
  readonly bytes: number
}

async function cutUp({ base64 }: Pdf, { pages: most, bytes: largest }: MostOfPdf): Promise<Pdf[]> {
  const { PDFDocument } = await import('pdf-lib')
  const whole = await PDFDocument.load(base64, { updateMetadata: false })
  const parts: Pdf[] = []
  const cut = async (from: number, to: number): Promise<void> => {
    const part = await PDFDocument.create({ updateMetadata: false })
    const numbers = Array.from({ length: to - from }, (_, n) => from + n)
    for (const page of await part.copyPages(whole, numbers)) part.addPage(page)
    // Written plainly, so that whoever reads it need not unpack it first.
    const bytes = await part.save({ useObjectStreams: false })
    if (bytes.length <= largest) {
      parts.push({ base64: Buffer.from(bytes).toString('base64'), pages: numbers.length })
      return
    }
    if (numbers.length === 1)
      throw new Unreadable('too_large', `its page ${to} alone has more than ${largest / 1e6} MB`)
    const middle = Math.ceil((from + to) / 2)
    await cut(from, middle)
    await cut(middle, to)
  }
  const count = whole.getPageCount()
  for (let from = 0; from < count; from += most) await cut(from, Math.min(count, from + most))
  return parts
}
