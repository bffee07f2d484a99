import type { InputProblem } from '../../../core/document/document.ts'
import type { PdfMode } from './pdf.ts'

/** A kind of document whose text is not simply what its bytes say. */
export interface DocumentFormat {
  /** For people: `a PDF`. */
  readonly name: string
  readonly extensions: readonly string[]
  /** `text`: its reader is given text. `archive`: several files in one, packed. `bytes`: whatever else. */
  readonly container: 'text' | 'archive' | 'bytes'
  /** Text in it may be all pictures: then too little of it is a failure, for a summary of that would be invented. */
  readonly mayBeImages: boolean
}

/** All kinds that are read in a way of their own. Everything else is text, or nothing. */
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

/** The kind that a name tells; undefined for text, and for what nobody knows. */
export function findFormatByName(path: string): FormatName | undefined {
  return formatByExtension.get(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
}

/** How much of a file of this name may be text: what is packed holds markup and pictures, too. */
export function estimateTextShare(path: string): number {
  const format = findFormatByName(path)
  return format === undefined || documentFormats[format].container === 'text' || format === 'email' ? 1 : 0.2
}

/** What a file holds, by its first bytes where they tell, and else by its name. */
export function detectFormat(path: string, bytes: Buffer): FormatName | InputProblem | undefined {
  const namedFormat = findFormatByName(path)
  const start = bytes.subarray(0, 1024).toString('latin1')
  // Some programs put a line before it, and readers have always let them.
  if (start.startsWith('%PDF-') || (namedFormat === 'pdf' && start.includes('%PDF-'))) return 'pdf'
  if (start.startsWith('PK\x03\x04')) return detectArchiveFormat(namedFormat, bytes)
  if (start.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return oldOfficeProblem
  if (namedFormat === undefined)
    return /\.[a-z0-9]+$/i.test(path) || !looksLikeHtml.test(start) ? undefined : 'html'
  // It is called a PDF and is none: if it is text, that is what it is.
  return namedFormat === 'pdf' || documentFormats[namedFormat].container === 'archive'
    ? undefined
    : namedFormat
}

/** Of a page that came through a pipe, without a name. */
const looksLikeHtml = /^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)/i

/** The name goes first, for one archive may hold another; the names in its index are not packed. */
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

/** Settings that shape the texts of documents. */
export interface ReaderSettings {
  /** What text is that is not UTF-8; see `decode`. */
  readonly encoding?: string | undefined
  /** Whether PDFs are sent as their text or as they are. @default 'text' */
  readonly pdf?: PdfMode | undefined
}

/**
 * What shapes the text of every document besides its bytes, for the settings hash. It does not go by the name of a
 * document: a PDF may be called anything.
 */
export function listReaderSettings({ encoding, pdf }: ReaderSettings): readonly unknown[] {
  return [readersVersion, encoding ?? null, pdf ?? null]
}

/** To be raised whenever a reader, or what it is made of, gives another text than before: documents are looked at again. */
const readersVersion = 1
