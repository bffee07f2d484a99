import { type DocumentEntry, isSummarized } from '../core/run/ledger-entry.ts'
import { ExitError } from '../errors.ts'
import { type Journal, type JournalEntry, JournaledError, toEntryId } from './ledger/journal.ts'
import type { OutputWriter } from './output-writer.ts'

export interface PersistOptions {
  readonly journal: Journal
  /** Reads the journal from disk; rejects if that fails. */
  readonly readEntries: () => Promise<readonly JournalEntry[]>
  readonly writer: OutputWriter
  /** Adds the run to an entry, if the next run will need it to finish the entry. */
  readonly addRun: (entry: JournalEntry) => JournalEntry
  /** Records a finished document in the ledger. */
  readonly recordDocument: (entry: DocumentEntry) => Promise<void>
}

/** The type of `persist` of the output state. */
type PersistDocument = (entry: JournalEntry) => Promise<() => Promise<void>>

/** Returns a function that writes a finished document to the journal, then to its file and the ledger. */
export function createDocumentPersister(options: PersistOptions): PersistDocument {
  const { journal, writer, addRun, recordDocument } = options
  return async (journaled) => {
    try {
      const finishEntry = await journal.append(addRun(journaled))
      return () =>
        finishEntry(async () => {
          const entry = { ...journaled.entry, ...(await writer.write(journaled)) }
          if (isSummarized(entry)) await writer.removeErrorRecord(entry.output.path)
          await recordDocument(entry)
        }).catch((error: unknown) => handleWriteFailure(journaled.entry, error, options))
    } catch (error) {
      return handleWriteFailure(journaled.entry, error, options)
    }
  }
}

/**
 * Records the cost of a document that could not be written, because it was paid for, and throws the error.
 */
async function handleWriteFailure(
  entry: DocumentEntry,
  error: unknown,
  { readEntries, recordDocument }: PersistOptions,
): Promise<never> {
  if (!(error instanceof ExitError) || error instanceof JournaledError) throw error
  // One write appends several journal entries. If it fails, some of them may be complete on disk.
  const journaledNow = await readEntries().catch(() => [])
  if (journaledNow.some((journaled) => toEntryId(journaled.entry) === toEntryId(entry)))
    throw new JournaledError(error)
  const status = entry.status === 'summarized' ? 'pending' : entry.status
  await recordDocument({ ...entry, status }).catch(() => {})
  throw error
}
