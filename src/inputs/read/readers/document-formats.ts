import type { InputProblem } from '../../../core/document/document.ts'
import type { PdfMode } from './pdf.ts'

/** A document format whose text must be extracted by a reader. */
export interface DocumentFormat {
  /** Name for messages, such as `PDF`. */
  readonly name: string
  readonly extensions: readonly string[]
  /**
   * `text`: the reader takes decoded text; `archive`: a zip archive of several files; `bytes`: any other
   * binary format.
   */
  readonly container: 'text' | 'archive' | 'bytes'
  /**
   * Whether all of the text may be in images. Too little text is then a failure, because a summary of it
   * would be invented.
   */
  readonly mayBeImages: boolean
}

/** All formats that have a reader. Every other file is plain text or unusable. */
export const documentFormats = {
  html: { name: 'HTML', extensions: ['html', 'htm', 'xhtml'], container: 'text', mayBeImages: false },
  email: { name: 'e-mail', extensions: ['eml'], container: 'bytes', mayBeImages: false },
  subtitles: { name: 'subtitles', extensions: ['srt', 'vtt'], container: 'text', mayBeImages: false },
  notebook: { name: 'notebooks', extensions: ['ipynb'], container: 'text', mayBeImages: false },
  pdf: { name: 'PDF', extensions: ['pdf'], container: 'bytes', mayBeImages: true },
  docx: { name: 'Word', extensions: ['docx'], container: 'archive', mayBeImages: true },
  odf: { name: 'OpenDocument', extensions: ['odt', 'odp', 'ods'], container: 'archive', mayBeImages: true },
  epub: { name: 'EPUB', extensions: ['epub'], container: 'archive', mayBeImages: true },
  pptx: { name: 'PowerPoint', extensions: ['pptx'], container: 'archive', mayBeImages: true },
  xlsx: { name: 'Excel', extensions: ['xlsx'], container: 'archive', mayBeImages: false },
} as const satisfies Record<string, DocumentFormat>

export type FormatName = keyof typeof documentFormats

const formatByExtension: ReadonlyMap<string, FormatName> = new Map(
  Object.entries(documentFormats).flatMap(([name, { extensions }]) =>
    extensions.map((extension) => [extension, name as FormatName] as const),
  ),
)

/** Returns the format by file extension; undefined for plain text and unknown extensions. */
export function findFormatByName(path: string): FormatName | undefined {
  return formatByExtension.get(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
}

/**
 * Returns which share of a file with this name may be text, from 0 to 1. Packed formats also contain markup
 * and images.
 */
export function estimateTextShare(path: string): number {
  const format = findFormatByName(path)
  return format === undefined || documentFormats[format].container === 'text' || format === 'email' ? 1 : 0.2
}

/** Detects the format of a file by its first bytes, otherwise by its name; undefined for plain text. */
export function detectFormat(path: string, bytes: Buffer): FormatName | InputProblem | undefined {
  const namedFormat = findFormatByName(path)
  const start = bytes.subarray(0, 1024).toString('latin1')
  // Some programs write a line before the PDF header, and PDF readers accept it.
  if (start.startsWith('%PDF-') || (namedFormat === 'pdf' && start.includes('%PDF-'))) return 'pdf'
  if (start.startsWith('PK\x03\x04')) return detectArchiveFormat(namedFormat, bytes)
  if (start.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return oldOfficeProblem
  if (namedFormat === undefined)
    return /\.[a-z0-9]+$/i.test(path) || !looksLikeHtml.test(start) ? undefined : 'html'
  // A file named like a PDF or an archive that is neither may be plain text.
  return namedFormat === 'pdf' || documentFormats[namedFormat].container === 'archive'
    ? undefined
    : namedFormat
}

/** Matches the start of an HTML page without a file extension, for example from stdin. */
const looksLikeHtml = /^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)/i

/**
 * Returns the format of a zip archive. Its name takes precedence, because one archive may contain another.
 * The names in its index are not compressed, so they can be searched for.
 */
function detectArchiveFormat(named: FormatName | undefined, bytes: Buffer): FormatName | InputProblem {
  if (named !== undefined && documentFormats[named].container === 'archive') return named
  const found = archiveMarkers.find(([, part]) => bytes.includes(part))
  return (
    found?.[0] ?? { action: 'fail', type: 'binary', message: 'not text (an archive; name what is in it)' }
  )
}

const archiveMarkers: readonly (readonly [FormatName, string])[] = [
  ['docx', 'word/document.xml'],
  ['pptx', 'ppt/presentation.xml'],
  ['xlsx', 'xl/workbook.xml'],
  ['epub', 'application/epub+zip'],
  ['odf', 'application/vnd.oasis.opendocument'],
]

const oldOfficeProblem: InputProblem = {
  action: 'fail',
  type: 'binary',
  message: 'not text (an old Office file, or one with a password; save it as .docx, .xlsx or .pptx)',
}

/** Settings that affect the texts of documents. */
export interface ReaderSettings {
  /** The encoding of text that is not UTF-8; see `decodeText`. */
  readonly encoding?: string | undefined
  /** Whether PDFs are sent as text or uploaded. @default 'text' */
  readonly pdf?: PdfMode | undefined
}

/**
 * Returns what affects the texts of documents besides their bytes, for the settings hash. It does not depend
 * on a document's name: a PDF may have any name.
 */
export function listReaderSettings({ encoding, pdf }: ReaderSettings): readonly unknown[] {
  return [readersVersion, encoding ?? null, pdf ?? null]
}

/**
 * Raise this number whenever a reader or its library returns different text, so that documents are read
 * again.
 */
const readersVersion = 2
