import { truncate } from '../text/truncate.ts'
/** Something found among the inputs: what will have exactly one outcome. */
export interface DocumentRef {
  /** Place in the sorted order of the run, from 0. */
  readonly index: number
  /**
   * What the user is shown, records are keyed by, and `resolve(cwd, path)` opens: relative to the working directory
   * where it lies below it, absolute otherwise. Always with `/`. `-` is stdin; a file of that name is `./-`.
   */
  readonly path: string
  /** Named by the user himself, rather than met in a walk: then being unusable is a failure, not a skip. */
  readonly namedByUser: boolean
  /** Why it cannot be read, where finding it showed that already. */
  readonly problem?: InputProblem
  /** As it was when it was found; undefined for stdin and for what cannot be read. */
  readonly stats?: FileStats | undefined
}

/** A selection of sources with `index` as their place in the selection. */
export function renumber(documents: readonly DocumentRef[]): readonly DocumentRef[] {
  return documents.map((document, index) => ({ ...document, index }))
}

/** What `stat` tells of a file's content: if both are what they were, the content is taken to be too. */
export interface FileStats {
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970, with a fraction where the file system has one. */
  readonly mtimeMs: number
}

/** What the content of a file was, and when; without `mtimeMs` it was no file. */
export interface Fingerprint {
  readonly size: number
  readonly mtimeMs?: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** Why a source gives no document. `skip` is no failure: an empty or binary file met in a walk. */
export interface InputProblem {
  readonly action: 'skip' | 'fail'
  /** A stable word for scripts: `empty`, `binary`, `not_utf8`, `too_large`, `unreadable`, `vanished`, … */
  readonly type: string
  readonly message: string
}

/** A source that was read: its text, decoded, without a byte-order mark. */
export interface Document {
  readonly ref: DocumentRef
  readonly text: string
  /** Of the bytes that `text` was decoded from. */
  readonly fingerprint: Fingerprint
  /** It is sent as it is, since its pages are pictures, or somebody wants it so; `text` says so then. */
  readonly pdf?: Pdf
}

export interface Pdf {
  readonly base64: string
  readonly pages: number
}

/**
 * Returns the first Markdown heading, HTML title or non-blank line, for the prompt's `{title}` placeholder; at most 200
 * characters. Looks at the beginning only, line by line: a pattern over several lines takes time that grows with the
 * square of the number of blank lines.
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
