import { constants, type Stats } from 'node:fs'
import { copyFile, type FileHandle, link, lstat, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printable } from '../core/printable.ts'
import { RunError } from '../errors.ts'
import { cannotRead, cannotWrite } from './disk-error.ts'
import { fateOf, type Holder } from './holder.ts'
import { openRegular } from './regular-file.ts'

export interface LockOptions {
  readonly self: Holder
  readonly isRunning: (pid: number) => boolean
  /** Told of a lock whose holder died. */
  readonly tookOver: (dead: Holder) => void
}

/**
 * Locks a folder for one process, at once or not at all. The lock is a file that appears whole, by `link`, which is
 * atomic on network file systems too. A dead holder's is taken over; one of another machine never is.
 *
 * Not a library's: proper-lockfile judges by the age of a file, so that a run that was stopped for a while loses its
 * lock, and tells nobody who holds it; locks of the kernel (flock) are not to be had from Node without compiled code.
 * @returns unlocks
 * @throws RunError `locked` that names the holder, `io` where there can be no lock
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<() => Promise<void>> {
  const { self } = options
  const draft = join(folder, `lock-${self.nonce}.tmp`)
  const lock = join(folder, 'lock')
  try {
    await writeFile(draft, `${JSON.stringify(self)}\n`, { mode: 0o600, flag: 'wx' })
    const dead = await acquire(lock, draft, options)
    if (dead !== undefined) options.tookOver(dead)
  } catch (error) {
    throw error instanceof RunError ? error : cannotWrite(lock, error as NodeJS.ErrnoException)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
  const ours = await lstat(lock).catch(() => undefined)
  return async () => {
    const isOurs = await holderIn(lock).then(
      (holder) => typeof holder === 'object' && holder.nonce === self.nonce,
      // Looking at it takes no descriptor, unlike reading.
      async () => isSame(ours, await lstat(lock).catch(() => undefined)),
    )
    if (!isOurs) return
    await rm(lock, { force: true }).catch((error: NodeJS.ErrnoException) => {
      throw cannotWrite(lock, error)
    })
  }
}

/** @returns the dead holder it was taken from, if there was one */
async function acquire(lock: string, draft: string, options: LockOptions): Promise<Holder | undefined> {
  let buried: Holder | undefined
  while (!(await appears(lock, draft))) {
    const holder = await holderIn(lock)
    if (holder === 'unreadable')
      throw new RunError('locked', `${lock} cannot be read; if no other run uses this folder, remove it`)
    if (holder === undefined) continue
    const fate = await fateOf(holder, options.self, options.isRunning)
    if (fate !== 'dead') throw new RunError('locked', heldBy(holder, fate, lock))
    await bury(lock, holder, draft, options)
    buried = holder
  }
  return buried
}

/**
 * Removes a dead holder's lock. Whoever wants to must first hold the right to, a lock of its own named for the dead
 * one, and then look again: otherwise the slower of two would remove what the faster one had just put there.
 */
async function bury(lock: string, dead: Holder, draft: string, options: LockOptions): Promise<void> {
  const right = `${lock}-${dead.nonce.replace(/[^\w-]/g, '')}`
  await acquire(right, draft, options)
  try {
    const holder = await holderIn(lock)
    if (typeof holder === 'object' && holder.nonce === dead.nonce) await rm(lock, { force: true })
  } finally {
    await rm(right, { force: true })
  }
}

/** Puts the draft in place, whole, unless something is there. */
async function appears(lock: string, draft: string): Promise<boolean> {
  try {
    await link(draft, lock)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // A file system without hard links: FAT, some network shares.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
  }
  return copyFile(draft, lock, constants.COPYFILE_EXCL).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}

/** @throws RunError `io` where no file can be opened, which says nothing about this one */
async function holderIn(lock: string): Promise<Holder | 'unreadable' | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await openRegular(lock)
    if (handle === undefined) return (await isLink(lock)) ? 'unreadable' : undefined
    const holder = JSON.parse(await handle.readFile('utf8')) as Holder
    return typeof holder.pid === 'number' && typeof holder.nonce === 'string' ? holder : 'unreadable'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE') throw cannotRead(lock, error as NodeJS.ErrnoException)
    return 'unreadable'
  } finally {
    await handle?.close().catch(() => {})
  }
}

/** One that leads nowhere reads as if nothing were there, where no lock can appear for ever. */
async function isLink(file: string): Promise<boolean> {
  const stats = await lstat(file).catch(() => undefined)
  return stats?.isSymbolicLink() === true
}

function isSame(a: Stats | undefined, b: Stats | undefined): boolean {
  return a !== undefined && a.ino === b?.ino && a.mtimeMs === b.mtimeMs && a.size === b.size
}

function heldBy({ pid, host, since }: Holder, fate: 'alive' | 'elsewhere', lock: string): string {
  const who = `another run holds this output folder: process ${pid} on ${printable(String(host))}, since ${printable(String(since))}`
  return fate === 'alive' ? who : `${who}; if that one is over, remove ${lock}`
}
