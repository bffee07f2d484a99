import { PDFCatalog, PDFContext, PDFObjectCopier, PDFPageLeaf, PDFPageTree, PDFWriter } from '@cantoo/pdf-lib'
import type { Pdf } from '../../../core/document/upload.ts'
import { objectsPerTick, parsePdf } from './parse-pdf.ts'
import { prunePdfPages } from './prune-pdf-pages.ts'
import { UnreadableError } from './unreadable-error.ts'

/**
 * Splits a PDF into consecutive PDFs within the limits of pages and bytes. The same PDF is always split in
 * the same way. Library: @cantoo/pdf-lib.
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
  const pages = await listPrunedPages(bytes)
  return copyPages(numbers.map((number) => pages[number - 1] as PDFPageLeaf))
}

interface PdfLimits {
  readonly pages: number
  readonly bytes: number
}

async function splitLoadedPdf(
  { base64 }: Pdf,
  { pages: maxPages, bytes: maxBytes }: PdfLimits,
): Promise<Pdf[]> {
  const pages = await listPrunedPages(Buffer.from(base64, 'base64'))
  const chunks: Pdf[] = []
  const addChunk = async (from: number, to: number): Promise<void> => {
    const bytes = await copyPages(pages.slice(from, to))
    if (bytes.length <= maxBytes) {
      chunks.push({ type: 'pdf', base64: Buffer.from(bytes).toString('base64'), pages: to - from })
      return
    }
    if (to - from === 1)
      throw new UnreadableError('too_large', `its page ${to} alone has more than ${maxBytes / 1e6} MB`)
    const middle = Math.ceil((from + to) / 2)
    await addChunk(from, middle)
    await addChunk(middle, to)
  }
  for (let from = 0; from < pages.length; from += maxPages)
    await addChunk(from, Math.min(pages.length, from + maxPages))
  return chunks
}

async function listPrunedPages(bytes: Uint8Array): Promise<PDFPageLeaf[]> {
  const catalog = await parsePdf(bytes)
  const pages: PDFPageLeaf[] = []
  catalog.Pages().traverse((node) => {
    if (node instanceof PDFPageLeaf) pages.push(node)
  })
  prunePdfPages(pages)
  return pages
}

/** Returns a PDF of pages, which must come from the same PDF. */
async function copyPages(pages: readonly PDFPageLeaf[]): Promise<Uint8Array> {
  const context = PDFContext.create()
  const tree = PDFPageTree.withContext(context)
  const treeRef = context.register(tree)
  context.trailerInfo.Root = context.register(PDFCatalog.withContextAndPages(context, treeRef))
  const copier = PDFObjectCopier.for((pages[0] as PDFPageLeaf).context, context)
  for (const page of pages) {
    const copy = copier.copy(page)
    copy.setParent(treeRef)
    tree.pushLeafNode(context.register(copy))
  }
  return PDFWriter.forContext(context, objectsPerTick).serializeToBuffer()
}
