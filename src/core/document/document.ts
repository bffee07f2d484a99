import { truncate } from '../text/truncate.ts'
import type { Mark } from './mark.ts'
import type { Upload } from './upload.ts'

/** A document that was found but not read. It gets exactly one outcome. */
export interface DocumentRef {
  /** Position in the sorted order of the run, from 0. */
  readonly index: number
  /**
   * The path that users see, that identifies the document in the ledger, and that `resolve(cwd, path)` opens.
   * Relative in the working directory, absolute otherwise. Always with `/`. `-` is stdin; a file of that name
   * is `./-`.
   */
  readonly path: string
  /** The path whose place in the output folder its outputs take, if that is not `path`. With `/`. */
  readonly mirroredPath?: string
  /** Whether the user named the file itself. If so, an unusable file is a failure, and is not skipped. */
  readonly namedByUser: boolean
  /** Why the document cannot be read, if the search for documents already noticed. */
  readonly problem?: InputProblem
  /** Size and time when the file was found; undefined for stdin and for unreadable files. */
  readonly stats?: FileStats | undefined
}

/** Returns a selection of documents with `index` numbered again from 0. */
export function renumber(documents: readonly DocumentRef[]): readonly DocumentRef[] {
  return documents.map((document, index) => ({ ...document, index }))
}

/** Size and time of a file, from `stat`. If both are unchanged, the content is assumed to be unchanged. */
export interface FileStats {
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970, with a fraction if the file system has one. */
  readonly mtimeMs: number
}

/** Size, time and hash of the content that was read. `mtimeMs` is absent if it did not come from a file. */
export interface Fingerprint {
  readonly size: number
  readonly mtimeMs?: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** Why a document is not summarized. `skip` is not a failure; example: an empty file in a folder. */
export interface InputProblem {
  readonly action: 'skip' | 'fail'
  /** Identifier for scripts: `empty`, `binary`, `not_utf8`, `too_large`, `unreadable`, `vanished`, … */
  readonly type: string
  readonly message: string
  /** The part that failed, if this is the failure of an earlier request. */
  readonly kind?: number | 'reply'
  /** The incomplete text of that request, which was paid for. */
  readonly partialText?: string
}

/** A document that was read: its decoded text, without a byte-order mark. */
export interface Document {
  readonly ref: DocumentRef
  readonly text: string
  /**
   * Where parts of the document begin in `text`, sorted by offset; `locate` looks a place up. Undefined if the
   * text is that of the file. Marks shape no reply, so no hash covers them.
   */
  readonly marks?: readonly Mark[]
  /** The parts of the text that a reply may cite, if it is not the text of a file but notes on one. */
  readonly blocks?: readonly string[]
  /** Of the bytes that `text` was decoded from. */
  readonly fingerprint: Fingerprint
  /** What the model must see, if the document is an image, has scanned pages, or the user chose so. `text` names it. */
  readonly upload?: Upload
}

/**
 * Returns the first Markdown heading, HTML title or non-blank line, for the `{title}` placeholder of prompts;
 * at most 200 characters. Searches only the beginning, line by line: a pattern over several lines would take
 * quadratic time on blank lines.
 */
export function extractTitle(text: string): string {
  const head = truncate(text, maxTitleSearchChars)
  const lines = head.split(/[\n\r\u2028\u2029]/)
  const title =
    findFirst(lines, (line) => /^#{1,3}\s+(\S.*)$/.exec(line)?.[1]) ??
    /<title>([^<]+)<\/title>/i.exec(head)?.[1] ??
    lines.find((line) => line.trim() !== '') ??
    ''
  return truncate(title.trim(), 200)
}

/** Characters. */
const maxTitleSearchChars = 20_000

function findFirst<Item, Found>(
  items: readonly Item[],
  match: (item: Item) => Found | undefined,
): Found | undefined {
  for (const item of items) {
    const found = match(item)
    if (found !== undefined) return found
  }
  return undefined
}
