import type { InputProblem } from '../../../core/document/document.ts'
import type { PdfWish } from './pdf.ts'

/** A kind of document whose text is not simply what its bytes say. */
export interface Kind {
  /** For people: `a PDF`. */
  readonly name: string
  readonly extensions: readonly string[]
  /** `text`: its reader is given text. `archive`: several files in one, packed. `bytes`: whatever else. */
  readonly is: 'text' | 'archive' | 'bytes'
  /** Text in it may be all pictures: then too little of it is a failure, for a summary of that would be invented. */
  readonly pictures: boolean
}

/** All kinds that are read in a way of their own. Everything else is text, or nothing. */
export const kinds = {
  html: { name: 'HTML', extensions: ['html', 'htm', 'xhtml'], is: 'text', pictures: false },
  email: { name: 'e-mail', extensions: ['eml'], is: 'bytes', pictures: false },
  subtitles: { name: 'subtitles', extensions: ['srt', 'vtt'], is: 'text', pictures: false },
  notebook: { name: 'notebooks', extensions: ['ipynb'], is: 'text', pictures: false },
  pdf: { name: 'PDF', extensions: ['pdf'], is: 'bytes', pictures: true },
  docx: { name: 'Word', extensions: ['docx'], is: 'archive', pictures: true },
  odf: { name: 'OpenDocument', extensions: ['odt', 'odp', 'ods'], is: 'archive', pictures: true },
  epub: { name: 'EPUB', extensions: ['epub'], is: 'archive', pictures: true },
  pptx: { name: 'PowerPoint', extensions: ['pptx'], is: 'archive', pictures: true },
  xlsx: { name: 'Excel', extensions: ['xlsx'], is: 'archive', pictures: false },
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof kinds

const byExtension: ReadonlyMap<string, KindName> = new Map(
  Object.entries(kinds).flatMap(([name, { extensions }]) =>
    extensions.map((extension) => [extension, name as KindName] as const),
  ),
)

/** The kind that a name tells; undefined for text, and for what nobody knows. */
export function kindNamed(path: string): KindName | undefined {
  return byExtension.get(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
}

/** How much of a file of this name may be text: what is packed holds markup and pictures, too. */
export function textShare(path: string): number {
  const kind = kindNamed(path)
  return kind === undefined || kinds[kind].is === 'text' || kind === 'email' ? 1 : 0.2
}

/** What a file holds, by its first bytes where they tell, and else by its name. */
export function kindOf(path: string, bytes: Buffer): KindName | InputProblem | undefined {
  const named = kindNamed(path)
  const start = bytes.subarray(0, 1024).toString('latin1')
  // Some programs put a line before it, and readers have always let them.
  if (start.startsWith('%PDF-') || (named === 'pdf' && start.includes('%PDF-'))) return 'pdf'
  if (start.startsWith('PK\x03\x04')) return inArchive(named, bytes)
  if (start.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return oldOffice
  if (named === undefined)
    return /\.[a-z0-9]+$/i.test(path) || !looksLikeHtml.test(start) ? undefined : 'html'
  // It is called a PDF and is none: if it is text, that is what it is.
  return named === 'pdf' || kinds[named].is === 'archive' ? undefined : named
}

/** Of a page that came through a pipe, without a name. */
const looksLikeHtml = /^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)/i

/** The name goes first, for one archive may hold another; the names in its index are not packed. */
function inArchive(named: KindName | undefined, bytes: Buffer): KindName | InputProblem {
  if (named !== undefined && kinds[named].is === 'archive') return named
  const found = parts.find(([, part]) => bytes.includes(part))
  return found?.[0] ?? { as: 'fail', type: 'binary', message: 'not text (an archive; name what is in it)' }
}

const parts: readonly (readonly [KindName, string])[] = [
  ['docx', 'word/document.xml'],
  ['pptx', 'ppt/presentation.xml'],
  ['xlsx', 'xl/workbook.xml'],
  ['epub', 'application/epub+zip'],
  ['odf', 'application/vnd.oasis.opendocument'],
]

const oldOffice: InputProblem = {
  as: 'fail',
  type: 'binary',
  message: 'not text (an old Office file, or one with a password; save it anew as .docx, .xlsx or .pptx)',
}

/** Settings that shape the texts of documents. */
export interface ReadSettings {
  /** What text is that is not UTF-8; see `decode`. */
  readonly encoding?: string | undefined
  /** Whether PDFs are sent as their text or as they are. @default 'text' */
  readonly pdf?: PdfWish | undefined
}

/**
 * What shapes the text of every document besides its bytes, for the settings hash. It does not go by the name of a
 * document: a PDF may be called anything.
 */
export function readingOf({ encoding, pdf }: ReadSettings): readonly unknown[] {
  return [readersVersion, encoding ?? null, pdf ?? null]
}

/** To be raised whenever a reader, or what it is made of, gives another text than before: documents are looked at again. */
const readersVersion = 1
