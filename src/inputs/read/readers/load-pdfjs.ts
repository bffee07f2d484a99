import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist'
import { CharacterMaps } from './character-maps.ts'
import { UnreadableError } from './unreadable-error.ts'

/** An open PDF. */
export type PdfFile = PDFDocumentProxy

/** What pdfjs reports about an annotation. */
export type PdfAnnotation = Awaited<ReturnType<PDFPageProxy['getAnnotations']>>[number]

export interface PdfOptions {
  /** Whether the operators of a page end at the first image or error. @default false */
  readonly stopAtImages?: boolean
}

/**
 * Opens a PDF for a function, and closes it afterwards. The bytes cannot be used again. Nothing in the PDF is
 * executed, and nothing is fetched. Library: pdfjs-dist.
 * @throws UnreadableError if the PDF cannot be opened without a password
 */
export async function withPdf<Result>(
  data: Uint8Array,
  use: (file: PdfFile) => Promise<Result>,
  { stopAtImages = false }: PdfOptions = {},
): Promise<Result> {
  const { getDocument } = await loadPdfjs()
  const loading = getDocument({
    data,
    verbosity: 0,
    isEvalSupported: false,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    CMapReaderFactory: CharacterMaps,
    // Images are not decoded.
    maxImageSize: 0,
    stopAtErrors: stopAtImages,
  })
  try {
    const file = await loading.promise.catch((error: unknown) => {
      throw (error as Error).name === 'PasswordException'
        ? new UnreadableError('encrypted', 'it is protected by a password')
        : error
    })
    return await use(file)
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
