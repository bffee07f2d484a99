import { dirname } from 'node:path'
import { isSafeRelativePath } from '../../core/document/output-path.ts'
import { type DocumentEntry, documentEntryShape, runStartShape } from '../../core/run/ledger-entry.ts'
import { objectOf, optional, string, type TypeOf, where } from '../../core/text/shape.ts'
import { ExitError } from '../../errors.ts'
import { openAppendFile } from '../fs/append-file.ts'
import { toWriteError } from '../fs/disk-error.ts'
import { emptyFile, statFile } from '../fs/no-follow-fs.ts'

/** The pending work for a finished document: a file to write and an entry for the ledger. */
export const journalEntryShape = objectOf({
  /** The ledger entry, without `output`, because the file is not written yet. */
  entry: documentEntryShape,
  /**
   * The file to write, relative to the output folder, with `/`, and its content; both are absent if there is
   * no file.
   */
  path: optional(where(string, (path) => isSafeRelativePath(path))),
  text: optional(string),
  /** The run that the entry belongs to, if the ledger does not have the run's start yet. */
  run: optional(runStartShape),
})
export interface JournalEntry extends TypeOf<typeof journalEntryShape> {}

/** Returns what identifies a document's entry in the journal and in the ledger. */
export function toEntryId({ path, ended_at }: DocumentEntry): string {
  return `${ended_at} ${path}`
}

/**
 * A redo log. A paid result is first written here and synced to disk; then its file is put in place; then the
 * ledger records it. The next run finishes the entries that it finds here. So a crash, a full disk or a power
 * failure at any moment never loses a text and never makes claude-batch pay for it twice.
 */
export interface Journal {
  /**
   * Saves an entry. Resolves with the function that finishes it.
   * @throws ExitError `ioError`; the next run then does not find the entry
   */
  append(entry: JournalEntry): Promise<FinishEntry>
  close(): Promise<void>
}

/**
 * Finishes an entry: `work` writes its file and its ledger entry. Must be called exactly once.
 * @throws JournaledError if `work` fails with an ExitError and the next run can finish the entry; other
 *   errors of `work`
 */
type FinishEntry = (work: () => Promise<void>) => Promise<void>

/** The error for an entry that is safe in the journal but could not be finished. The next run finishes it. */
export class JournaledError extends ExitError {
  constructor(reason: ExitError) {
    super(reason.exit, reason.message)
  }
}

/**
 * The size in bytes at which all finished work is synced to disk and the journal emptied. After a crash, the
 * next run reads at most this much.
 */
const checkpointBytes = 4_000_000

/**
 * Opens and empties a journal whose entries are all finished.
 * @param checkpoint syncs to disk what finishing the entries has written so far
 */
export async function openJournal(path: string, checkpoint: () => Promise<void>): Promise<Journal> {
  // The journal must be empty: a partial last line of a killed run would otherwise end up between new
  // entries.
  const root = dirname(dirname(path))
  const { size: existingBytes } = statFile(root, path) ?? { size: 0 }
  const clear = () =>
    emptyFile(root, path).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(path, error)
    })
  if (existingBytes > 0) await checkpoint()
  const file = await openAppendFile(path, { durable: true, mode: 0o600, root })
  if (existingBytes > 0) await clear()
  let [size, openEntries] = [0, 0]
  /** Whether an entry must stay in the journal for the next run. */
  let hasLeftovers = false
  /** While set, new entries wait until the open ones are finished and synced to disk. */
  let pause: Deferred | undefined

  const checkpointAndClear = async () => {
    if (hasLeftovers) return
    await checkpoint()
    await clear()
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
