import { dirname } from 'node:path'
import type { DocumentLine, RunLine } from '../../core/run/ledger-entry.ts'
import { RunError } from '../../errors.ts'
import { openAppendFile } from '../fs/append-file.ts'
import { statFile } from '../fs/output-files.ts'

/** What is about to be done for a document that is finished: a file to write, a line for the ledger. */
export interface Entry {
  /** As it goes to the ledger, but for the `output` that is not written yet. */
  readonly line: DocumentLine
  /** Below the output folder, with `/`, and what goes into it; neither where the line is all there is. */
  readonly file?: string
  readonly text?: string
  /** Whose it is, where the ledger may not tell yet. */
  readonly run?: RunLine
}

/**
 * A redo log. What was paid for is written here first and onto the disk; then its file is put in place, then it is
 * recorded in the ledger. Whoever finds entries here finishes them, so that no instant of a crash, a full disk or a
 * loss of power costs a text, or costs it twice.
 */
export interface Journal {
  /** @throws RunError `io`: then nothing will be there for the next run */
  keep(entry: Entry): Promise<Kept>
  close(): Promise<void>
}

/**
 * Ends an entry by doing the work, which puts it where it belongs; to be called exactly once.
 * @throws KeptError when the work fails for now; whatever else it throws
 */
type Kept = (work: () => Promise<void>) => Promise<void>

/** An entry is safe in the journal, but could not be put where it belongs: the next run will. */
export class KeptError extends RunError {
  constructor(reason: RunError) {
    super(reason.exit, reason.message)
  }
}

/**
 * Every so many bytes all is brought onto the disk and the journal emptied. No more than this is read again after a
 * crash.
 */
const checkpointAt = 4_000_000

/**
 * Opens a journal, all entries of which are finished, and empties it.
 * @param checkpoint brings onto the disk what the work of all entries so far has written
 */
export async function openJournal(path: string, checkpoint: () => Promise<void>): Promise<Journal> {
  // Otherwise a line that was torn by an earlier run's end would come to stand in the middle.
  const root = dirname(dirname(path))
  const { size: found } = statFile(root, path) ?? { size: 0 }
  if (found > 0) await checkpoint()
  const file = await openAppendFile(path, { synced: true, mode: 0o600, root })
  if (found > 0) await file.clear()
  let [size, open] = [0, 0]
  /** Something must stay for the next run. */
  let leftover = false
  /** New entries wait while the open ones come to their end and are brought onto the disk. */
  let pause: PromiseWithEnd | undefined

  const empty = async () => {
    if (leftover) return
    await checkpoint()
    await file.clear()
    size = 0
  }
  const ended = async () => {
    open--
    if (open > 0 || pause === undefined) return
    try {
      await empty()
    } finally {
      pause.end()
      pause = undefined
    }
  }
  return {
    async keep(entry) {
      while (pause !== undefined) await pause.over
      const text = JSON.stringify(entry)
      open++
      size += text.length
      if (size > checkpointAt) pause = promiseWithEnd()
      try {
        await file.append(text)
      } catch (error) {
        leftover = true
        await ended()
        throw error
      }
      return async (work) => {
        try {
          await work()
        } catch (error) {
          leftover = true
          throw error instanceof RunError && (await file.isThere()) ? new KeptError(error) : error
        } finally {
          await ended()
        }
      }
    },
    async close() {
      try {
        await empty()
      } finally {
        await file.close()
      }
    },
  }
}

interface PromiseWithEnd {
  readonly over: Promise<void>
  readonly end: () => void
}

function promiseWithEnd(): PromiseWithEnd {
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  return { over, end }
}
