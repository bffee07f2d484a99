import type { InputProblem } from '../../../core/document/document.ts'
import { type Decoded, decode } from '../decode.ts'
import { type KindName, kinds } from './kinds.ts'
import { checkLength, leastText } from './limits.ts'
import type { PdfContent, PdfWish } from './pdf.ts'
import { Unreadable } from './unreadable.ts'

/** One document to read. */
export interface Conversion {
  readonly kind: KindName
  readonly bytes: Uint8Array
  /** See `--encoding`. */
  readonly encoding?: string | undefined
  /** See `--pdf`. */
  readonly pdf: PdfWish
}

/** A text; or how many pages a PDF has that is to be sent as it is. */
export type Converted = Decoded & Pick<PdfContent, 'pages'>

/** Reads a document of a kind of its own. Whatever is wrong with it is its failure. */
export async function convert({ kind, bytes, encoding, pdf }: Conversion): Promise<Converted | InputProblem> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    if (kind === 'pdf') return await (await import('./pdf.ts')).readPdf(buffer, pdf)
    const reader = readers[kind]
    if ('fromBytes' in reader) {
      const text = checked(kind, await reader.fromBytes(buffer))
      return { text }
    }
    const declared = kind === 'html' ? charsetIn(buffer) : undefined
    const decoded = await decode(buffer, { encoding, declared })
    if ('as' in decoded) return decoded
    return { ...decoded, text: checked(kind, await reader.fromText(decoded.text)) }
  } catch (error) {
    if (error instanceof Unreadable) return { as: 'fail', type: error.type, message: error.message }
    const { message } = error as Error
    return { as: 'fail', type: 'malformed', message: `cannot be read as ${kinds[kind].name}: ${message}` }
  }
}

type Reader =
  | { readonly fromBytes: (bytes: Buffer) => Promise<string> }
  | { readonly fromText: (text: string) => Promise<string> }

/** Each is loaded when the first document of its kind is met. */
const readers: Readonly<Record<Exclude<KindName, 'pdf'>, Reader>> = {
  html: { fromText: async (text) => (await import('./html.ts')).htmlText(text) },
  email: { fromBytes: async (bytes) => (await import('./email.ts')).emailText(bytes) },
  subtitles: { fromText: async (text) => (await import('./subtitles.ts')).subtitlesText(text) },
  notebook: { fromText: async (text) => (await import('./notebook.ts')).notebookText(text) },
  docx: { fromBytes: async (bytes) => (await import('./docx.ts')).docxText(bytes) },
  odf: { fromBytes: async (bytes) => (await import('./odf.ts')).odfText(bytes) },
  epub: { fromBytes: async (bytes) => (await import('./epub.ts')).epubText(bytes) },
  pptx: { fromBytes: async (bytes) => (await import('./pptx.ts')).pptxText(bytes) },
  xlsx: { fromBytes: async (bytes) => (await import('./xlsx.ts')).xlsxText(bytes) },
}

/** @throws Unreadable for too much text, and for too little where the rest may be pictures */
function checked(kind: KindName, text: string): string {
  checkLength(text.length)
  const solid = kinds[kind].pictures ? text.replace(/\s+/g, '').length : leastText
  if (solid < leastText)
    throw new Unreadable(
      'no_text',
      `hardly any text in it (${solid} characters): nothing to make a summary of`,
    )
  return text
}

/** What a page says it is written in, at its beginning. */
function charsetIn(bytes: Buffer): string | undefined {
  const start = bytes.subarray(0, 2048).toString('latin1')
  return /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})/i.exec(start)?.[1]
}
