import { lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { UnlockOptions } from '../config/unlock-flags.ts'
import { printable } from '../core/text/escape-control.ts'
import { type Exit, RunError, UsageError } from '../errors.ts'
import type { World } from '../runtime.ts'
import { describeHolder, type FoundLock, findLock, type LockFate } from '../storage/lock/found-lock.ts'
import { lockFateOf, lockName, removeLock } from '../storage/lock/lock.ts'
import { holderFor } from '../storage/lock/lock-owner.ts'
import { memoryFolder } from '../storage/output-folder.ts'

/**
 * Removes the lock of an output folder whose run is over, where claude-batch cannot find that out by itself: the run
 * was on another machine or in a container that is gone, or its process id is used again. Shows the holder, and asks.
 */
export async function unlock(
  dir: string,
  { yes }: UnlockOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const { stderr, clock, random, pid, isRunning } = world
  const say = (text: string) => void stderr.write(`claude-batch: ${printable(text)}\n`)
  const folder = await stateFolderOf(dir, world)
  const lock = join(folder, lockName)
  const found = await findLock(lock)
  if (found === undefined) {
    say(`${dir} is not locked`)
    return 'ok'
  }
  if ((await lstat(lock).catch(() => undefined))?.isDirectory())
    throw new RunError('io', `${lock} is a folder, which claude-batch never makes there; move it away`)
  const nonce = random().toString(16).slice(2)
  const program = { command: 'unlock', version }
  const self = await holderFor(pid, new Date(clock.wall()).toISOString(), nonce, program)
  const fate = await lockFateOf(found, { self, isRunning })
  const who = describe(dir, lock, found)
  if (fate === 'alive')
    throw new RunError(
      'locked',
      `${who}; it is running: wait until it ends, or stop it with: kill ${found.holder?.pid}`,
    )
  say(`${who}; ${known[fate]}`)
  if (!yes) {
    const answer = await world.confirm(
      'claude-batch: Remove the lock? Only do so if that run is over. [y/N] ',
      new AbortController().signal,
    )
    if (answer === undefined)
      throw new UsageError(`${dir} stays locked, since there is no terminal to ask on; give --yes`)
    if (!answer) throw new RunError('locked', `${dir} stays locked`)
  }
  const isRemoved = await removeLock(folder, found.identity, { self, isRunning })
  say(
    isRemoved
      ? `the lock of ${dir} is removed`
      : `that lock of ${dir} is not there any more; nothing was removed`,
  )
  return 'ok'
}

/** What is known of the run that holds a lock. */
const known: Readonly<Record<Exclude<LockFate, 'alive'>, string>> = {
  dead: 'that process is not running any more',
  elsewhere:
    'it was started on another machine or in another container, so claude-batch cannot see whether it is running',
  uncertain: 'a process with this id is running, which may be another one',
  unreadable: 'claude-batch did not write it, or it is damaged',
}

/**
 * The state folder of an output folder. It is not looked for behind a link: the folder may come from anywhere.
 * @throws RunError `noInput` where there is none, `io`
 */
async function stateFolderOf(dir: string, { cwd }: Pick<World, 'cwd'>): Promise<string> {
  const folder = join(resolve(cwd, dir), memoryFolder)
  const stats = await lstat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new RunError('io', `cannot read ${folder}: ${error.code ?? error.message}`)
  })
  if (stats === undefined)
    throw new RunError(
      'noInput',
      `there is no output folder at ${dir}: no run has written there; name it: claude-batch unlock <dir>`,
    )
  if (!stats.isDirectory())
    throw new RunError('io', `${folder} is not a folder, but a link or a file; nothing was removed`)
  return folder
}

function describe(dir: string, lock: string, { holder }: FoundLock): string {
  if (holder === undefined) return `${dir} is locked by a file that cannot be read, ${lock}`
  const program = [holder.version, holder.command].filter((text) => text !== '').join(' ')
  return `${dir} is locked by ${describeHolder(holder)}${program === '' ? '' : ` (claude-batch ${program})`}`
}
