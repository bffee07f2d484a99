import { dirname, join } from 'node:path'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { quoteShellWord } from '../../core/text/quote-shell-word.ts'
import { ExitError } from '../../errors.ts'
import { closeFile, syncFile, writeWhole } from '../fs/descriptor.ts'
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
  /** Called with the dead owner of a stale lock that was taken over. */
  readonly onTakeover: (deadOwner: LockOwner) => void
}

/** Determines whether the owner of a lock is running. */
interface OwnerProbe {
  readonly self: LockOwner
  readonly isRunning: (pid: number) => boolean
}

/** The name of the lock file, in the state folder. */
export const lockFileName = 'lock'

/**
 * Locks a state folder for this process; fails immediately if another process holds the lock. The lock file
 * is created with `link`, which is atomic on network file systems too. A stale lock is taken over, but never
 * one from another machine.
 *
 * No library is used. proper-lockfile decides by the age of a file, so a suspended run loses its lock, and it
 * does not say who holds the lock. Kernel locks (flock) need compiled code in Node.
 * @returns a function that releases the lock
 * @throws ExitError `locked` with the owner; `ioError` if the lock cannot be created
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<() => Promise<void>> {
  const { self } = options
  const lock = join(folder, lockFileName)
  await withDraft(folder, self, async (draft) => {
    const deadOwner = await acquire(lock, draft, { ...options, mayTake: (status) => status === 'dead' })
    if (deadOwner !== undefined) options.onTakeover(deadOwner)
  })
  await removeDeadDrafts(folder, self, options.isRunning)
  const ownIdentity = await readFileIdentity(lock)
  return async () => {
    const isOurs = await findLock(lock).then(
      (found) => found?.identity === self.nonce,
      // If too many files are open to read the lock, `lstat` still works.
      async () => ownIdentity !== undefined && (await readFileIdentity(lock)) === ownIdentity,
    )
    if (!isOurs) return
    await removeFile(findOutputFolder(lock), lock).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(lock, error)
    })
  }
}

/**
 * Removes the lock of a state folder on the user's request, unless its owner is known to be running. A lock
 * that has replaced it meanwhile is kept.
 * @param identity of the lock to remove
 * @returns false if that lock no longer exists
 * @throws ExitError `locked` if the owner is running; `ioError`
 */
export async function removeLock(folder: string, identity: string, probe: OwnerProbe): Promise<boolean> {
  const lock = join(folder, lockFileName)
  return withDraft(folder, probe.self, async (draft) => {
    const found = await findLock(lock)
    if (found?.identity !== identity) return false
    const mayTake = (status: LockStatus) => status !== 'alive'
    await ensureMayTake(lock, found, { ...probe, mayTake })
    return breakLock(lock, found, draft, { ...probe, mayTake })
  })
}

/** Writes the content of a lock to a draft file, and removes the file when `useDraft` is done. */
async function withDraft<Value>(
  folder: string,
  self: LockOwner,
  useDraft: (draft: string) => Promise<Value>,
): Promise<Value> {
  const draft = join(folder, lockDraftName(self.nonce))
  try {
    const descriptor = createFile(dirname(folder), draft, 0o600)
    try {
      writeWhole(descriptor, `${JSON.stringify(self)}\n`)
      // After a power failure, a lock without content would belong to an unknown owner.
      await syncFile(descriptor)
    } finally {
      closeFile(descriptor)
    }
    return await useDraft(draft)
  } catch (error) {
    throw toWriteError(join(folder, lockFileName), error as NodeJS.ErrnoException)
  } finally {
    await removeFile(dirname(folder), draft).catch(() => {})
  }
}

interface TakeOptions extends OwnerProbe {
  /** Whether a lock with this status may be taken over. */
  readonly mayTake: (status: LockStatus) => boolean
}

/** Creates the lock, taking over an existing one if allowed. @returns the previous owner, if there was one */
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

/** Throws if a lock may not be taken over. @throws ExitError `locked` */
async function ensureMayTake(lock: string, found: FoundLock, options: TakeOptions): Promise<void> {
  const status = await determineLockStatus(found, options)
  if (!options.mayTake(status)) throw new ExitError('locked', describeConflict(found, status, lock))
}

/** Returns the status of a lock. @throws ExitError `ioError` if the process has too many open files */
export async function determineLockStatus(
  { owner }: FoundLock,
  { self, isRunning }: OwnerProbe,
): Promise<LockStatus> {
  return owner === undefined ? 'unreadable' : determineOwnerStatus(owner, self, isRunning)
}

/**
 * Removes a lock while holding a second lock that is named for the first. Without the second lock, the slower
 * of two processes would remove the new lock of the faster one.
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
 * Removes a lock unless another one has replaced it. The owner may exit and another process lock the folder
 * at any moment. So the lock is first renamed, which is atomic, and restored if it turns out to be another
 * one.
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

/** Returns the output folder that a lock file belongs to. */
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
