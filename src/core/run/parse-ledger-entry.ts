import { isObject } from '../text/shape.ts'
import { type LedgerEntry, ledgerEntryShape, ledgerFormatVersion } from './ledger-entry.ts'

/** What one line of a ledger is. */
export type ParsedEntry = LedgerEntry | DamagedEntry | OtherVersionEntry

/** A line that is torn or overwritten, or that no version of claude-batch writes like this. */
export interface DamagedEntry {
  readonly type: 'damaged'
  /** The line itself. */
  readonly text: string
  /** The document that it is about, if that much is legible. */
  readonly path?: string
  /** The SHA-256 of the summary, or the beginning of it, if that much is legible. */
  readonly summaryHash?: string
}

/** A line in the format of an older or newer claude-batch. It may not mean what it seems to mean, so it is not read. */
interface OtherVersionEntry {
  readonly type: 'other_version'
  readonly formatVersion: number
}

/** Reads any line. */
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

/** The format version of a line, if it is another than the current one. Format 1 called the field `v`. */
export function findOtherVersion(entry: unknown): number | undefined {
  if (!isObject(entry)) return undefined
  const version = entry['format_version'] ?? entry['v']
  return typeof version === 'number' && version !== ledgerFormatVersion ? version : undefined
}

/** No entry is longer, and the patterns below overflow the stack on a text of millions of characters. */
const maxSearchedChars = 100_000

function toDamagedEntry(text: string): DamagedEntry {
  const searched = text.slice(0, maxSearchedChars)
  // The output has a path of its own.
  const quoted = /"path":("(?:[^"\\]|\\.)*")/.exec(searched.replace(/"output":\{[^{}]*/, ''))?.[1]
  // Fewer digits could be the beginning of another file's hash.
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
