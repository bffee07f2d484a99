import type { InputProblem } from '../../../core/document/document.ts'
import { editMarked, type Mark, type MarkedText } from '../../../core/document/mark.ts'
import { type DecodedText, decodeText } from '../decode-text.ts'
import { omitEncodedData } from '../omit-encoded-data.ts'
import { documentFormats, type FormatName } from './document-formats.ts'
import type { ImageContent } from './images.ts'
import { markMessage } from './mark-message.ts'
import type { PdfContent, PdfMode } from './pdf.ts'
import { holdsPictures, lacksWords } from './picture-documents.ts'
import { checkTextLength } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** One document to read. */
export interface ConversionRequest {
  readonly format: FormatName
  readonly bytes: Uint8Array
  /** See `--encoding`. */
  readonly encoding?: string | undefined
  /** See `--pdf`. */
  readonly pdf: PdfMode
  /** Whether summaries will cite the document; see `readPdf`. */
  readonly citations?: boolean | undefined
}

/** The text of a document and the positions in it; or the number of pages of a PDF that is uploaded, or of its scanned pages; or images. */
export type ConvertedText = DecodedText &
  Pick<PdfContent, 'pages' | 'scans' | 'uploadedText'> &
  Partial<Pick<ImageContent, 'images'>> & {
    /** Undefined if the text is that of the file, so that positions in it are lines. */
    readonly marks?: readonly Mark[]
  }

/** Reads a document with the reader of its format. Every error of the reader is a failure of the document. */
export async function convertDocument({
  format,
  bytes,
  encoding,
  pdf,
  citations,
}: ConversionRequest): Promise<ConvertedText | InputProblem> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    if (format === 'pdf') {
      const content = await (await import('./pdf.ts')).readPdf(buffer, { mode: pdf, citations })
      return {
        ...content,
        ...editMarked({ text: content.text, marks: content.marks ?? [] }, omitEncodedData),
      }
    }
    if (format === 'image') return (await import('./images.ts')).readImage(buffer)
    if (format === 'tiff') return await (await import('./tiff.ts')).readTiff(buffer)
    const reader = readers[format]
    if ('fromBytes' in reader) {
      return await checkText(format, await reader.fromBytes(buffer, encoding), buffer)
    }
    const decoded = await decodeText(buffer, { encoding, isHtml: format === 'html' })
    if ('action' in decoded) return decoded
    return { ...decoded, ...(await checkText(format, await reader.fromText(decoded.text), buffer)) }
  } catch (error) {
    if (error instanceof UnreadableError) return { action: 'fail', type: error.type, message: error.message }
    const { message } = error as Error
    return {
      action: 'fail',
      type: 'malformed',
      message: `cannot be read as ${documentFormats[format].name}; the file may be damaged: ${message}`,
    }
  }
}

type FormatReader =
  | { readonly fromBytes: (bytes: Buffer, encoding?: string) => Promise<string | MarkedText> }
  | { readonly fromText: (text: string) => Promise<string | MarkedText> }

/** The readers by format. Each is loaded for the first document of its format. */
const readers: Readonly<Record<Exclude<FormatName, 'pdf' | 'image' | 'tiff'>, FormatReader>> = {
  html: {
    fromText: async (text) => (await import('./html-reader.ts')).extractMarkedHtml(text, { page: true }),
  },
  email: {
    async fromBytes(bytes, encoding) {
      const { extractEmailText } = await import('./email.ts')
      return markMessage(await extractEmailText(bytes, { encoding }))
    },
  },
  subtitles: { fromText: async (text) => (await import('./subtitles.ts')).extractSubtitlesText(text) },
  notebook: { fromText: async (text) => (await import('./notebook.ts')).extractNotebookText(text) },
  docx: { fromBytes: async (bytes) => (await import('./docx.ts')).extractDocxText(bytes) },
  msg: {
    async fromBytes(bytes, encoding) {
      const { extractOutlookText } = await import('./outlook.ts')
      return markMessage(await extractOutlookText(bytes, { encoding }))
    },
  },
  doc: { fromBytes: async (bytes) => (await import('./doc.ts')).extractDocText(bytes) },
  rtf: { fromBytes: async (bytes) => (await import('./rtf.ts')).extractRtfText(bytes) },
  odf: { fromBytes: async (bytes) => (await import('./odf.ts')).extractOdfText(bytes) },
  epub: { fromBytes: async (bytes) => (await import('./epub.ts')).extractEpubText(bytes) },
  pptx: { fromBytes: async (bytes) => (await import('./pptx.ts')).extractPptxText(bytes) },
  xlsx: { fromBytes: async (bytes) => (await import('./xlsx.ts')).extractXlsxText(bytes) },
}

/**
 * Returns the text without encoded images, or nothing if the document has no words.
 * @throws UnreadableError for too much text, or for pictures without words
 */
async function checkText(
  format: FormatName,
  content: string | MarkedText,
  bytes: Buffer,
): Promise<MarkedText> {
  const extracted = typeof content === 'string' ? { text: content, marks: [] } : content
  const marked = editMarked(extracted, omitEncodedData)
  const { text } = marked
  checkTextLength(text.length)
  if (!documentFormats[format].mayBeImages || !(await lacksWords(format, text, bytes))) return marked
  if (await holdsPictures(format, bytes))
    throw new UnreadableError('no_text', 'it holds pictures and no text: nothing to make a summary of')
  return { text: '', marks: [] }
}
