import type { DocumentEntry } from '../../core/run/ledger-entry.ts'
import { type JournalEntry, toEntryId } from './journal.ts'

/** Compares the entries of a journal with those of the ledger. */
export interface RecordedEntries {
  /** Must be called with each document entry of the ledger, in their order. @param path see `OnDocumentEntry` */
  observe(entry: DocumentEntry, path: string): void
  /** Whether the ledger has an entry of the journal. */
  isRecorded(entry: DocumentEntry): boolean
  /** Whether no later entry of the ledger is about the same document. */
  isLatest(entry: DocumentEntry, path: string): boolean
  /** Whether a summary of a document had this hash (SHA-256) before. */
  wasSummary(path: string, hash: string): boolean
}

/** Creates the comparison for the entries of a journal. It keeps only data about their documents. */
export function compareRecordedEntries(journalEntries: readonly JournalEntry[]): RecordedEntries {
  const journalIds = new Set(journalEntries.map(({ entry }) => toEntryId(entry)))
  const journalPaths = new Set(journalEntries.map(({ entry }) => entry.path))
  const recordedIds = new Set<string>()
  const latestIds = new Map<string, string>()
  const hashes = new Map<string, Set<string>>()
  return {
    observe(entry, path) {
      // Paths in the journal are as its run knew them. Documents of the same name are harmless here.
      if (!journalPaths.has(entry.path)) return
      const id = toEntryId(entry)
      if (journalIds.has(id)) recordedIds.add(id)
      latestIds.set(path, id)
      const known = hashes.get(path) ?? new Set()
      if (entry.output !== undefined) hashes.set(path, known.add(entry.output.sha256))
    },
    isRecorded: (entry) => recordedIds.has(toEntryId(entry)),
    isLatest: (entry, path) => latestIds.get(path) === toEntryId(entry),
    wasSummary: (path, hash) => hashes.get(path)?.has(hash) ?? false,
  }
}
