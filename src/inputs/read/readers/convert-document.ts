import type { InputProblem } from '../../../core/document/document.ts'
import { type DecodedText, decodeText } from '../decode-text.ts'
import { documentFormats, type FormatName } from './document-formats.ts'
import type { PdfContent, PdfMode } from './pdf.ts'
import { checkTextLength, minTextChars } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** One document to read. */
export interface ConversionRequest {
  readonly format: FormatName
  readonly bytes: Uint8Array
  /** See `--encoding`. */
  readonly encoding?: string | undefined
  /** See `--pdf`. */
  readonly pdf: PdfMode
}

/** The text of a document; or the number of pages of a PDF that is uploaded. */
export type ConvertedText = DecodedText & Pick<PdfContent, 'pages'>

/** Reads a document with the reader of its format. Every error of the reader is a failure of the document. */
export async function convertDocument({
  format,
  bytes,
  encoding,
  pdf,
}: ConversionRequest): Promise<ConvertedText | InputProblem> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    if (format === 'pdf') return await (await import('./pdf.ts')).readPdf(buffer, pdf)
    const reader = readers[format]
    if ('fromBytes' in reader) {
      const text = checkText(format, await reader.fromBytes(buffer))
      return { text }
    }
    const decoded = await decodeText(buffer, { encoding, isHtml: format === 'html' })
    if ('action' in decoded) return decoded
    return { ...decoded, text: checkText(format, await reader.fromText(decoded.text)) }
  } catch (error) {
    if (error instanceof UnreadableError) return { action: 'fail', type: error.type, message: error.message }
    const { message } = error as Error
    return {
      action: 'fail',
      type: 'malformed',
      message: `cannot be read as ${documentFormats[format].name}: ${message}`,
    }
  }
}

type FormatReader =
  | { readonly fromBytes: (bytes: Buffer) => Promise<string> }
  | { readonly fromText: (text: string) => Promise<string> }

/** The readers by format. Each is loaded for the first document of its format. */
const readers: Readonly<Record<Exclude<FormatName, 'pdf'>, FormatReader>> = {
  html: {
    fromText: async (text) => (await import('./html-reader.ts')).extractHtmlText(text, { page: true }),
  },
  email: { fromBytes: async (bytes) => (await import('./email.ts')).extractEmailText(bytes) },
  subtitles: { fromText: async (text) => (await import('./subtitles.ts')).extractSubtitlesText(text) },
  notebook: { fromText: async (text) => (await import('./notebook.ts')).extractNotebookText(text) },
  docx: { fromBytes: async (bytes) => (await import('./docx.ts')).extractDocxText(bytes) },
  odf: { fromBytes: async (bytes) => (await import('./odf.ts')).extractOdfText(bytes) },
  epub: { fromBytes: async (bytes) => (await import('./epub.ts')).extractEpubText(bytes) },
  pptx: { fromBytes: async (bytes) => (await import('./pptx.ts')).extractPptxText(bytes) },
  xlsx: { fromBytes: async (bytes) => (await import('./xlsx.ts')).extractXlsxText(bytes) },
}

/**
 * Returns the text.
 * @throws UnreadableError for too much text, or for too little if the rest may be images
 */
function checkText(format: FormatName, text: string): string {
  checkTextLength(text.length)
  const solidChars = documentFormats[format].mayBeImages ? text.replace(/\s+/g, '').length : minTextChars
  if (solidChars < minTextChars)
    throw new UnreadableError(
      'no_text',
      `hardly any text in it (${solidChars} characters): nothing to make a summary of`,
    )
  return text
}
