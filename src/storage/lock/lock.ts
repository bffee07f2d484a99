import { dirname, join } from 'node:path'
import { printable } from '../../core/text/escape-control.ts'
import { shellWord } from '../../core/text/shell-word.ts'
import { RunError } from '../../errors.ts'
import { cannotWrite } from '../fs/disk-error.ts'
import { createFile, moveFile, placeFile, removeFile } from '../fs/output-files.ts'
import { describeHolder, type FoundLock, findLock, identityAt, type LockFate } from './found-lock.ts'
import { lockDraftName, removeDeadDrafts } from './lock-drafts.ts'
import { fateOf, type Holder } from './lock-owner.ts'

export interface LockOptions extends Looking {
  /** Called with the dead holder that the lock was taken from. */
  readonly tookOver: (dead: Holder) => void
}

/** What tells whether the holder of a lock is running. */
interface Looking {
  readonly self: Holder
  readonly isRunning: (pid: number) => boolean
}

/** In the state folder. */
export const lockName = 'lock'

/**
 * Locks a state folder for one process, immediately or not at all. The lock is a file that appears whole, by `link`,
 * which is atomic on network file systems too. A dead holder's is taken over; one of another machine never is.
 *
 * Not a library's: proper-lockfile judges by the age of a file, so that a run that was stopped for a while loses its
 * lock, and does not say who holds it; locks of the kernel (flock) are not to be had from Node without compiled code.
 * @returns unlocks
 * @throws RunError `locked` that names the holder, `io` where there can be no lock
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<() => Promise<void>> {
  const { self } = options
  const lock = join(folder, lockName)
  await withDraft(folder, self, async (draft) => {
    const dead = await acquire(lock, draft, { ...options, takes: (fate) => fate === 'dead' })
    if (dead !== undefined) options.tookOver(dead)
  })
  await removeDeadDrafts(folder, self, options.isRunning)
  const ours = await identityAt(lock)
  return async () => {
    const isOurs = await findLock(lock).then(
      (found) => found?.identity === self.nonce,
      // Looking at it takes no descriptor, unlike reading.
      async () => ours !== undefined && (await identityAt(lock)) === ours,
    )
    if (!isOurs) return
    await removeFile(rootOf(lock), lock).catch((error: NodeJS.ErrnoException) => {
      throw cannotWrite(lock, error)
    })
  }
}

/**
 * Removes the lock of a state folder that somebody decided to remove, whoever holds it, unless the holder is known to
 * run. Another lock that has taken its place stays.
 * @param identity of that lock
 * @returns false where it is not there any more
 * @throws RunError `locked` where the holder is running, `io`
 */
export async function removeLock(folder: string, identity: string, looking: Looking): Promise<boolean> {
  const lock = join(folder, lockName)
  return withDraft(folder, looking.self, async (draft) => {
    const found = await findLock(lock)
    if (found?.identity !== identity) return false
    const takes = (fate: LockFate) => fate !== 'alive'
    await checkTaken(lock, found, { ...looking, takes })
    return takeAway(lock, found, draft, { ...looking, takes })
  })
}

/** Writes what a lock is to hold to a file of its own, for a while. */
async function withDraft<Value>(
  folder: string,
  self: Holder,
  work: (draft: string) => Promise<Value>,
): Promise<Value> {
  const draft = join(folder, lockDraftName(self.nonce))
  try {
    const handle = await createFile(dirname(folder), draft, 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(self)}\n`)
    } finally {
      await handle.close()
    }
    return await work(draft)
  } catch (error) {
    throw cannotWrite(join(folder, lockName), error as NodeJS.ErrnoException)
  } finally {
    await removeFile(dirname(folder), draft).catch(() => {})
  }
}

interface TakeOptions extends Looking {
  /** Whether a lock may be taken away from a holder to whom that happened. */
  readonly takes: (fate: LockFate) => boolean
}

/** @returns the holder it was taken from, if there was one */
async function acquire(lock: string, draft: string, options: TakeOptions): Promise<Holder | undefined> {
  let taken: Holder | undefined
  while (!(await placeFile(rootOf(lock), draft, lock))) {
    const found = await findLock(lock)
    if (found === undefined) continue
    if (found.problem !== undefined) throw found.problem
    await checkTaken(lock, found, options)
    await takeAway(lock, found, draft, options)
    taken = found.holder
  }
  return taken
}

/** @throws RunError `locked` where a lock may not be taken away */
async function checkTaken(lock: string, found: FoundLock, options: TakeOptions): Promise<void> {
  const fate = await lockFateOf(found, options)
  if (!options.takes(fate)) throw new RunError('locked', heldBy(found, fate, lock))
}

/** What became of the holder of a lock. @throws RunError `io` where no file can be opened */
export async function lockFateOf({ holder }: FoundLock, { self, isRunning }: Looking): Promise<LockFate> {
  return holder === undefined ? 'unreadable' : fateOf(holder, self, isRunning)
}

/**
 * Removes a lock. Only the process that holds the right to may do so, a lock of its own named for the lock in question:
 * otherwise the slower of two would remove what the faster one had just put there.
 */
async function takeAway(
  lock: string,
  found: FoundLock,
  draft: string,
  options: TakeOptions,
): Promise<boolean> {
  const right = `${lock}-${found.identity.replace(/[^\w-]/g, '')}`
  await acquire(right, draft, options)
  try {
    return await removeUnlessReplaced(lock, found, draft.replace(/\.tmp$/, '-old.tmp'))
  } finally {
    await removeFile(rootOf(lock), right)
  }
}

/**
 * The holder may still end, and another process lock, at any instant. So the lock is moved aside first, which takes one
 * step, and put back if it turns out to be another one.
 */
async function removeUnlessReplaced(lock: string, found: FoundLock, aside: string): Promise<boolean> {
  if ((await findLock(lock))?.identity !== found.identity) return false
  try {
    await moveFile(rootOf(lock), lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  const isSame = (await findLock(aside))?.identity === found.identity
  const isBack = isSame || (await placeFile(rootOf(lock), aside, lock))
  await removeFile(rootOf(lock), aside)
  if (!isBack)
    throw new RunError('locked', `two runs locked ${dirname(lock)} at the same time; stop one of them`)
  return isSame
}

/** The output folder. */
function rootOf(lock: string): string {
  return dirname(dirname(lock))
}

function heldBy({ holder }: FoundLock, fate: LockFate, lock: string): string {
  const remove = `remove its lock with: claude-batch unlock ${shellWord(printable(dirname(dirname(lock))))}`
  if (holder === undefined)
    return `${printable(lock)} cannot be read; if no other run uses this output folder, ${remove}`
  const who = `another run holds this output folder: ${describeHolder(holder)}`
  return fate === 'alive' ? who : `${who}; if that run is over, ${remove}`
}
