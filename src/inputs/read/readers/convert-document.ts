import type { InputProblem } from '../../../core/document/document.ts'
import { type DecodedText, decodeText } from '../decode-text.ts'
import { omitEncodedData } from '../omit-encoded-data.ts'
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
    if (format === 'pdf') {
      const content = await (await import('./pdf.ts')).readPdf(buffer, pdf)
      return { ...content, text: omitEncodedData(content.text) }
    }
    const reader = readers[format]
    if ('fromBytes' in reader) {
      const text = checkText(format, await reader.fromBytes(buffer, encoding))
      return { text }
    }
    const declared = format === 'html' ? findCharset(buffer) : undefined
    const decoded = await decodeText(buffer, { encoding, declared })
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
  | { readonly fromBytes: (bytes: Buffer, encoding?: string) => Promise<string> }
  | { readonly fromText: (text: string) => Promise<string> }

/** The readers by format. Each is loaded for the first document of its format. */
const readers: Readonly<Record<Exclude<FormatName, 'pdf'>, FormatReader>> = {
  html: { fromText: async (text) => (await import('./html-reader.ts')).extractHtmlText(text) },
  email: {
    fromBytes: async (bytes, encoding) => (await import('./email.ts')).extractEmailText(bytes, { encoding }),
  },
  subtitles: { fromText: async (text) => (await import('./subtitles.ts')).extractSubtitlesText(text) },
  notebook: { fromText: async (text) => (await import('./notebook.ts')).extractNotebookText(text) },
  docx: { fromBytes: async (bytes) => (await import('./docx.ts')).extractDocxText(bytes) },
  odf: { fromBytes: async (bytes) => (await import('./odf.ts')).extractOdfText(bytes) },
  epub: { fromBytes: async (bytes) => (await import('./epub.ts')).extractEpubText(bytes) },
  pptx: { fromBytes: async (bytes) => (await import('./pptx.ts')).extractPptxText(bytes) },
  xlsx: { fromBytes: async (bytes) => (await import('./xlsx.ts')).extractXlsxText(bytes) },
}

/**
 * Returns the text without encoded images.
 * @throws UnreadableError for too much text, or for too little if the rest may be images
 */
function checkText(format: FormatName, extracted: string): string {
  const text = omitEncodedData(extracted)
  checkTextLength(text.length)
  const solidChars = documentFormats[format].mayBeImages ? text.replace(/\s+/g, '').length : minTextChars
  if (solidChars < minTextChars)
    throw new UnreadableError(
      'no_text',
      `hardly any text in it (${solidChars} characters): nothing to make a summary of`,
    )
  return text
}

/** Returns the character set that an HTML page declares at its beginning. */
function findCharset(bytes: Buffer): string | undefined {
  const start = bytes.subarray(0, 2048).toString('latin1')
  return /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})/i.exec(start)?.[1]
}
