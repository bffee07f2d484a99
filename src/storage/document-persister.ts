import { type DocumentEntry, isSummarized } from '../core/run/ledger-entry.ts'
import { ExitError } from '../errors.ts'
import { removeErrorRecord } from './error-record-file.ts'
import { type Journal, type JournalEntry, JournaledError, toEntryId } from './ledger/journal.ts'
import type { OutputWriter } from './output-writer.ts'

export interface PersistOptions {
  readonly out: string
  readonly journal: Journal
  /** Reads the journal as it is on disk; rejects where that fails. */
  readonly readEntries: () => Promise<readonly JournalEntry[]>
  readonly writer: OutputWriter
  /** Completes an entry with what the next run needs to finish it. */
  readonly addRun: (entry: JournalEntry) => JournalEntry
  /** Records a document that this run is finished with. */
  readonly recordDocument: (entry: DocumentEntry) => Promise<void>
}

/** See `persist` of the output state. */
type PersistDocument = (entry: JournalEntry) => Promise<() => Promise<void>>

/** Returns a function that takes a finished document through the journal to its file and the ledger. */
export function createDocumentPersister(options: PersistOptions): PersistDocument {
  const { out, journal, writer, addRun, recordDocument } = options
  return async (journaled) => {
    try {
      const finishEntry = await journal.append(addRun(journaled))
      return () =>
        finishEntry(async () => {
          const entry = { ...journaled.entry, ...(await writer.write(journaled)) }
          if (isSummarized(entry)) await removeErrorRecord(out, entry.output.path)
          await recordDocument(entry)
        }).catch((error: unknown) => handleWriteFailure(journaled.entry, error, options))
    } catch (error) {
      return handleWriteFailure(journaled.entry, error, options)
    }
  }
}

/** What could not be put in place was paid for all the same, so the ledger records its cost. */
async function handleWriteFailure(
  entry: DocumentEntry,
  error: unknown,
  { readEntries, recordDocument }: PersistOptions,
): Promise<never> {
  if (!(error instanceof ExitError) || error instanceof JournaledError) throw error
  // Entries are written several at once: of those that failed together, some may be there whole.
  const journaledNow = await readEntries().catch(() => [])
  if (journaledNow.some((journaled) => toEntryId(journaled.entry) === toEntryId(entry)))
    throw new JournaledError(error)
  const status = entry.status === 'summarized' ? 'pending' : entry.status
  await recordDocument({ ...entry, status }).catch(() => {})
  throw error
}
