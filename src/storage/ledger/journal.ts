import { dirname } from 'node:path'
import { isSafeRelativePath } from '../../core/document/output-path.ts'
import { type DocumentEntry, documentEntryShape, runStartShape } from '../../core/run/ledger-entry.ts'
import { objectOf, optional, string, type TypeOf, where } from '../../core/text/shape.ts'
import { ExitError } from '../../errors.ts'
import { openAppendFile } from '../fs/append-file.ts'
import { statFile } from '../fs/no-follow-fs.ts'

/** What is about to be done for a document that is finished: a file to write, an entry for the ledger. */
export const journalEntryShape = objectOf({
  /** As it goes to the ledger, but without the `output`, which is not written yet. */
  entry: documentEntryShape,
  /** Where the file goes, below the output folder, with `/`, and its content; neither where there is only the entry. */
  path: optional(where(string, (path) => isSafeRelativePath(path))),
  text: optional(string),
  /** The run that the entry belongs to, where the ledger may not say so yet. */
  run: optional(runStartShape),
})
export interface JournalEntry extends TypeOf<typeof journalEntryShape> {}

/** Returns what tells an entry from all others, in the journal and in the ledger. */
export function toEntryId({ path, ended_at }: DocumentEntry): string {
  return `${ended_at} ${path}`
}

/**
 * A redo log. What was paid for is written here first and onto the disk; then its file is put in place, then it is
 * recorded in the ledger. Whoever finds entries here finishes them, so that no instant of a crash, a full disk or a
 * loss of power costs a text, or costs it twice.
 */
export interface Journal {
  /** @throws ExitError `ioError`: then nothing will be there for the next run */
  append(entry: JournalEntry): Promise<FinishEntry>
  close(): Promise<void>
}

/**
 * Ends an entry by doing the work, which puts it where it belongs; to be called exactly once.
 * @throws JournaledError when the work fails for now; whatever else it throws
 */
type FinishEntry = (work: () => Promise<void>) => Promise<void>

/** An entry is safe in the journal, but could not be put where it belongs: the next run will. */
export class JournaledError extends ExitError {
  constructor(reason: ExitError) {
    super(reason.exit, reason.message)
  }
}

/**
 * Every so many bytes all is brought onto the disk and the journal emptied. No more than this is read again after a
 * crash.
 */
const checkpointBytes = 4_000_000

/**
 * Opens a journal, all entries of which are finished, and empties it.
 * @param checkpoint brings onto the disk what the work of all entries so far has written
 */
export async function openJournal(path: string, checkpoint: () => Promise<void>): Promise<Journal> {
  // Otherwise a line that was torn by an earlier run's end would come to stand in the middle.
  const root = dirname(dirname(path))
  const { size: existingBytes } = statFile(root, path) ?? { size: 0 }
  if (existingBytes > 0) await checkpoint()
  const file = await openAppendFile(path, { durable: true, mode: 0o600, root })
  if (existingBytes > 0) await file.clear()
  let [size, openEntries] = [0, 0]
  /** Something must stay for the next run. */
  let hasLeftovers = false
  /** New entries wait while the open ones come to their end and are brought onto the disk. */
  let pause: Deferred | undefined

  const checkpointAndClear = async () => {
    if (hasLeftovers) return
    await checkpoint()
    await file.clear()
    size = 0
  }
  const endEntry = async () => {
    openEntries--
    if (openEntries > 0 || pause === undefined) return
    try {
      await checkpointAndClear()
    } finally {
      pause.resolve()
      pause = undefined
    }
  }
  return {
    async append(entry) {
      while (pause !== undefined) await pause.promise
      const text = JSON.stringify(entry)
      openEntries++
      size += text.length
      if (size > checkpointBytes) pause = createDeferred()
      try {
        await file.append(text)
      } catch (error) {
        hasLeftovers = true
        await endEntry()
        throw error
      }
      return async (work) => {
        try {
          await work()
        } catch (error) {
          hasLeftovers = true
          throw error instanceof ExitError && (await file.isPresent()) ? new JournaledError(error) : error
        } finally {
          await endEntry()
        }
      }
    },
    async close() {
      try {
        await checkpointAndClear()
      } finally {
        await file.close()
      }
    },
  }
}

interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

function createDeferred(): Deferred {
  let resolvePromise = () => {}
  const promise = new Promise<void>((resolve) => {
    resolvePromise = resolve
  })
  return { promise, resolve: resolvePromise }
}
