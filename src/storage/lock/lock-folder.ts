import { dirname, join } from 'node:path'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { quoteShellWord } from '../../core/text/quote-shell-word.ts'
import { ExitError } from '../../errors.ts'
import { toWriteError } from '../fs/disk-error.ts'
import { createFile, linkFileIfAbsent, moveFile, removeFile } from '../fs/no-follow-fs.ts'
import {
  describeLockOwner,
  type FoundLock,
  findLock,
  type LockStatus,
  readFileIdentity,
} from './find-lock.ts'
import { lockDraftName, removeDeadDrafts } from './lock-drafts.ts'
import { determineOwnerStatus, type LockOwner } from './lock-owner.ts'

export interface LockOptions extends OwnerProbe {
  /** Called with the dead holder that the lock was taken from. */
  readonly onTakeover: (dead: LockOwner) => void
}

/** What tells whether the holder of a lock is running. */
interface OwnerProbe {
  readonly self: LockOwner
  readonly isRunning: (pid: number) => boolean
}

/** In the state folder. */
export const lockFileName = 'lock'

/**
 * Locks a state folder for one process, immediately or not at all. The lock is a file that appears whole, by `link`,
 * which is atomic on network file systems too. A dead holder's is taken over; one of another machine never is.
 *
 * Not a library's: proper-lockfile judges by the age of a file, so that a run that was stopped for a while loses its
 * lock, and does not say who holds it; locks of the kernel (flock) are not to be had from Node without compiled code.
 * @returns unlocks
 * @throws ExitError `locked` that names the holder, `ioError` where there can be no lock
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<() => Promise<void>> {
  const { self } = options
  const lock = join(folder, lockFileName)
  await withDraft(folder, self, async (draft) => {
    const deadOwner = await acquire(lock, draft, { ...options, mayTake: (fate) => fate === 'dead' })
    if (deadOwner !== undefined) options.onTakeover(deadOwner)
  })
  await removeDeadDrafts(folder, self, options.isRunning)
  const ownIdentity = await readFileIdentity(lock)
  return async () => {
    const isOurs = await findLock(lock).then(
      (found) => found?.identity === self.nonce,
      // Looking at it takes no descriptor, unlike reading.
      async () => ownIdentity !== undefined && (await readFileIdentity(lock)) === ownIdentity,
    )
    if (!isOurs) return
    await removeFile(findOutputFolder(lock), lock).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(lock, error)
    })
  }
}

/**
 * Removes the lock of a state folder that somebody decided to remove, whoever holds it, unless the holder is known to
 * run. Another lock that has taken its place stays.
 * @param identity of that lock
 * @returns false where it is not there any more
 * @throws ExitError `locked` where the holder is running, `ioError`
 */
export async function removeLock(folder: string, identity: string, probe: OwnerProbe): Promise<boolean> {
  const lock = join(folder, lockFileName)
  return withDraft(folder, probe.self, async (draft) => {
    const found = await findLock(lock)
    if (found?.identity !== identity) return false
    const mayTake = (fate: LockStatus) => fate !== 'alive'
    await ensureMayTake(lock, found, { ...probe, mayTake })
    return breakLock(lock, found, draft, { ...probe, mayTake })
  })
}

/** Writes what a lock is to hold to a file of its own, for a while. */
async function withDraft<Value>(
  folder: string,
  self: LockOwner,
  useDraft: (draft: string) => Promise<Value>,
): Promise<Value> {
  const draft = join(folder, lockDraftName(self.nonce))
  try {
    const handle = await createFile(dirname(folder), draft, 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(self)}\n`)
    } finally {
      await handle.close()
    }
    return await useDraft(draft)
  } catch (error) {
    throw toWriteError(join(folder, lockFileName), error as NodeJS.ErrnoException)
  } finally {
    await removeFile(dirname(folder), draft).catch(() => {})
  }
}

interface TakeOptions extends OwnerProbe {
  /** Whether a lock may be taken away from a holder to whom that happened. */
  readonly mayTake: (fate: LockStatus) => boolean
}

/** @returns the holder it was taken from, if there was one */
async function acquire(lock: string, draft: string, options: TakeOptions): Promise<LockOwner | undefined> {
  let previousOwner: LockOwner | undefined
  while (!(await linkFileIfAbsent(findOutputFolder(lock), draft, lock))) {
    const found = await findLock(lock)
    if (found === undefined) continue
    if (found.problem !== undefined) throw found.problem
    await ensureMayTake(lock, found, options)
    await breakLock(lock, found, draft, options)
    previousOwner = found.owner
  }
  return previousOwner
}

/** @throws ExitError `locked` where a lock may not be taken away */
async function ensureMayTake(lock: string, found: FoundLock, options: TakeOptions): Promise<void> {
  const status = await determineLockStatus(found, options)
  if (!options.mayTake(status)) throw new ExitError('locked', describeConflict(found, status, lock))
}

/** What became of the holder of a lock. @throws ExitError `ioError` where no file can be opened */
export async function determineLockStatus(
  { owner }: FoundLock,
  { self, isRunning }: OwnerProbe,
): Promise<LockStatus> {
  return owner === undefined ? 'unreadable' : determineOwnerStatus(owner, self, isRunning)
}

/**
 * Removes a lock. Only the process that holds the right to may do so, a lock of its own named for the lock in question:
 * otherwise the slower of two would remove what the faster one had just put there.
 */
async function breakLock(
  lock: string,
  found: FoundLock,
  draft: string,
  options: TakeOptions,
): Promise<boolean> {
  const takeoverLock = `${lock}-${found.identity.replace(/[^\w-]/g, '')}`
  await acquire(takeoverLock, draft, options)
  try {
    return await removeUnlessReplaced(lock, found, draft.replace(/\.tmp$/, '-old.tmp'))
  } finally {
    await removeFile(findOutputFolder(lock), takeoverLock)
  }
}

/**
 * The holder may still end, and another process lock, at any instant. So the lock is renamed first, which takes one
 * step, and put back if it turns out to be another one.
 */
async function removeUnlessReplaced(lock: string, found: FoundLock, movedLock: string): Promise<boolean> {
  if ((await findLock(lock))?.identity !== found.identity) return false
  try {
    await moveFile(findOutputFolder(lock), lock, movedLock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  const isSame = (await findLock(movedLock))?.identity === found.identity
  const isRestored = isSame || (await linkFileIfAbsent(findOutputFolder(lock), movedLock, lock))
  await removeFile(findOutputFolder(lock), movedLock)
  if (!isRestored)
    throw new ExitError('locked', `two runs locked ${dirname(lock)} at the same time; stop one of them`)
  return isSame
}

/** The output folder. */
function findOutputFolder(lock: string): string {
  return dirname(dirname(lock))
}

function describeConflict({ owner }: FoundLock, status: LockStatus, lock: string): string {
  const unlockHint = `remove its lock with: claude-batch unlock ${quoteShellWord(escapeControlChars(dirname(dirname(lock))))}`
  if (owner === undefined)
    return `${escapeControlChars(lock)} cannot be read; if no other run uses this output folder, ${unlockHint}`
  const conflict = `another run holds this output folder: ${describeLockOwner(owner)}`
  return status === 'alive' ? conflict : `${conflict}; if that run is over, ${unlockHint}`
}
