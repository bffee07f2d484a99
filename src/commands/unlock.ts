import { lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { UnlockOptions } from '../config/unlock-flags.ts'
import { stateFolder } from '../core/document/output-path.ts'
import { type Exit, ExitError, UsageError } from '../errors.ts'
import { askUser } from '../run/ask-user.ts'
import type { Runtime } from '../runtime.ts'
import { describeLockOwner, type FoundLock, findLock, type LockStatus } from '../storage/lock/find-lock.ts'
import { determineLockStatus, lockFileName, removeLock } from '../storage/lock/lock-folder.ts'
import { createLockOwner } from '../storage/lock/lock-owner.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Removes a stale lock that claude-batch cannot recognize as stale: its owner ran on another machine or in a
 * removed container, or its process id is in use again. Shows the owner and asks the user to confirm.
 * @throws UsageError, ExitError
 */
export async function unlock(
  dir: string,
  { yes }: UnlockOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const { clock, random, pid, isRunning } = runtime
  const print = (text: string) => printMessage(runtime, text)
  const folder = await findStateFolder(dir, runtime)
  const lock = join(folder, lockFileName)
  const found = await findLock(lock)
  if (found === undefined) {
    print(`${dir} is not locked`)
    return 'ok'
  }
  if ((await lstat(lock).catch(() => undefined))?.isDirectory())
    throw new ExitError('ioError', `${lock} is a folder, which claude-batch never creates; move it away`)
  const nonce = random().toString(16).slice(2)
  const program = { command: 'unlock', version }
  const currentOwner = await createLockOwner(pid, new Date(clock.wallTime()).toISOString(), nonce, program)
  const ownerStatus = await determineLockStatus(found, { self: currentOwner, isRunning })
  const lockDescription = describeLock(dir, lock, found)
  if (ownerStatus === 'alive')
    throw new ExitError(
      'locked',
      `${lockDescription}; it is running: wait until it ends, or stop it with: kill ${found.owner?.pid}`,
    )
  print(`${lockDescription}; ${statusMessages[ownerStatus]}`)
  if (!yes) {
    const answer = await askUser(
      runtime,
      'Remove the lock? Only do so if that run is over.',
      new AbortController().signal,
    )
    if (answer === undefined)
      throw new UsageError(`${dir} stays locked: there is no terminal to confirm on; give --yes`)
    if (!answer) throw new ExitError('locked', `${dir} stays locked`)
  }
  const isRemoved = await removeLock(folder, found.identity, { self: currentOwner, isRunning })
  print(
    isRemoved ? `the lock of ${dir} is removed` : `that lock of ${dir} no longer exists; nothing was removed`,
  )
  return 'ok'
}

/** Messages about the owner of a lock. */
const statusMessages: Readonly<Record<Exclude<LockStatus, 'alive'>, string>> = {
  dead: 'that process is no longer running',
  elsewhere:
    'it was started on another machine or in another container, so claude-batch cannot see whether it is running',
  uncertain: 'a process with this id is running, but it may be another program',
  unreadable: 'claude-batch did not write it, or it is damaged',
}

/**
 * Returns the state folder of an output folder. Does not follow a link, because others may have created the
 * folder.
 * @throws ExitError `noInput` if it does not exist, `ioError`
 */
async function findStateFolder(dir: string, { cwd }: Pick<Runtime, 'cwd'>): Promise<string> {
  const folder = join(resolve(cwd, dir), stateFolder)
  const stats = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new ExitError('ioError', `cannot read ${folder}: ${error.code ?? error.message}`)
  })
  if (stats === undefined)
    throw new ExitError(
      'noInput',
      `there is no output folder at ${dir}: no run has written there; name the output folder: claude-batch unlock <dir>`,
    )
  if (!stats.isDirectory())
    throw new ExitError('ioError', `${folder} is not a folder, but a link or a file; nothing was removed`)
  return folder
}

function describeLock(dir: string, lock: string, { owner }: FoundLock): string {
  if (owner === undefined) return `${dir} is locked by a file that cannot be read, ${lock}`
  const program = [owner.version, owner.command].filter((text) => text !== '').join(' ')
  return `${dir} is locked by ${describeLockOwner(owner)}${program === '' ? '' : ` (claude-batch ${program})`}`
}
