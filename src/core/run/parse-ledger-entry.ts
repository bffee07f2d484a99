import { isObject } from '../text/shape.ts'
import { type LedgerEntry, ledgerEntryShape, ledgerFormatVersion } from './ledger-entry.ts'

/** The result of parsing one line of a ledger. */
export type ParsedEntry = LedgerEntry | DamagedEntry | OtherVersionEntry

/** A line that is torn or overwritten, or that no version of claude-batch would write. */
export interface DamagedEntry {
  readonly type: 'damaged'
  /** The line itself. */
  readonly text: string
  /** Path of the document, if legible. */
  readonly path?: string
  /** SHA-256 of the summary, or its beginning, if legible. */
  readonly summaryHash?: string
}

/** A line of an older or newer claude-batch. Its fields may mean something else, so they are not read. */
interface OtherVersionEntry {
  readonly type: 'other_version'
  readonly formatVersion: number
}

/** Parses any line of a ledger. */
export function parseLedgerEntry(text: string): ParsedEntry {
  let entry: unknown
  try {
    entry = JSON.parse(text)
  } catch {
    return toDamagedEntry(text)
  }
  const formatVersion = findOtherVersion(entry)
  if (formatVersion !== undefined) return { type: 'other_version', formatVersion }
  return ledgerEntryShape.matches(entry) ? entry : toDamagedEntry(text)
}

/** Returns the format version of a line if it is not the current one. Format 1 called the field `v`. */
export function findOtherVersion(entry: unknown): number | undefined {
  if (!isObject(entry)) return undefined
  const version = entry['format_version'] ?? entry['v']
  return typeof version === 'number' && version !== ledgerFormatVersion ? version : undefined
}

/** No entry is longer. On millions of characters, the patterns below would overflow the stack. */
const maxSearchedChars = 100_000

function toDamagedEntry(text: string): DamagedEntry {
  const searched = text.slice(0, maxSearchedChars)
  // `output` contains another `path`.
  const quoted = /"path":("(?:[^"\\]|\\.)*")/.exec(searched.replace(/"output":\{[^{}]*/, ''))?.[1]
  // Fewer digits could match the hash of another file.
  const hash = /"output":\{[^{}]*"sha256":"([0-9a-f]{12,64})/.exec(searched)?.[1]
  try {
    const path = quoted === undefined ? undefined : (JSON.parse(quoted) as string)
    return {
      type: 'damaged',
      text,
      ...(path !== undefined && { path }),
      ...(hash !== undefined && { summaryHash: hash }),
    }
  } catch {
    return { type: 'damaged', text }
  }
}
