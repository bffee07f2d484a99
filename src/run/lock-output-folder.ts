import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { ExitError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { lockFolder } from '../storage/lock/lock-folder.ts'
import { createLockOwner, type LockingProgram } from '../storage/lock/lock-owner.ts'
import { printMessage } from '../ui/print-message.ts'

export interface LockOutputFolderOptions extends LockingProgram {
  /** When the lock's owner started, in ISO 8601; defaults to now. */
  readonly since?: string
  /** Distinguishes this lock from others of the same process; random by default. */
  readonly nonce?: string
  /** Whether to omit the note about a stale lock that was taken over. */
  readonly quiet?: boolean
  /** How long to wait for another process to release the lock; no wait by default. */
  readonly wait?: LockWait
}

interface LockWait {
  /** Milliseconds. */
  readonly timeoutMs: number
  /** Ends the wait. */
  readonly signal: AbortSignal
}

type LockRuntime = Pick<Runtime, 'pid' | 'clock' | 'random' | 'isRunning' | 'stderr'>

/**
 * Locks an output folder for this process. Takes over a stale lock and prints a note about it.
 * @param out the output folder; absolute
 * @returns a function that unlocks the folder
 * @throws ExitError `locked` or `ioError`; the reason of the wait's signal if it is aborted
 */
export async function lockOutputFolder(
  out: string,
  runtime: LockRuntime,
  { since, nonce, quiet = false, wait, ...program }: LockOutputFolderOptions,
): Promise<() => Promise<void>> {
  const { pid, clock, random, isRunning } = runtime
  const self = await createLockOwner(
    pid,
    since ?? new Date(clock.wallTime()).toISOString(),
    nonce ?? random().toString(16).slice(2),
    program,
  )
  const lock = () =>
    lockFolder(join(out, stateFolder), {
      self,
      isRunning,
      onTakeover(dead) {
        const text = `the run that locked this folder, process ${dead.pid} since ${dead.since}, is dead; took over`
        if (!quiet) printMessage(runtime, text)
      },
    })
  return wait === undefined ? lock() : lockWithTimeout(lock, wait, runtime)
}

/** Milliseconds between two attempts to lock a folder. */
const lockRetryMs = 250

async function lockWithTimeout(
  lock: () => Promise<() => Promise<void>>,
  { timeoutMs, signal }: LockWait,
  runtime: Pick<LockRuntime, 'clock' | 'stderr'>,
): Promise<() => Promise<void>> {
  const { clock } = runtime
  const end = clock.now() + timeoutMs
  for (let isReported = false; ; isReported = true) {
    try {
      return await lock()
    } catch (error) {
      if (!(error instanceof ExitError) || error.exit !== 'locked') throw error
      if (timeoutMs === 0)
        throw new ExitError('locked', `${error.message}; to wait for it, add --lock-timeout 10m`)
      if (clock.now() >= end)
        throw new ExitError(
          'locked',
          `${error.message}; gave up after --lock-timeout ${formatDuration(timeoutMs)}; run the same command again later`,
        )
      if (!isReported) printMessage(runtime, `waiting: ${error.message}`)
      await clock.sleep(Math.min(lockRetryMs, end - clock.now()), signal)
    }
  }
}
