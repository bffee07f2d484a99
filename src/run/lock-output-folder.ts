import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import type { Runtime } from '../runtime.ts'
import { lockFolder } from '../storage/lock/lock-folder.ts'
import { createLockOwner, type LockingProgram } from '../storage/lock/lock-owner.ts'

/**
 * Locks an output folder for a command that is no run.
 * @param out absolute
 * @param program the command and the version of claude-batch, which the lock shows to others
 * @returns unlocks it
 * @throws RunError `locked` or `ioError`
 */
export async function lockOutputFolder(
  out: string,
  { pid, clock, random, isRunning, stderr }: Runtime,
  program: LockingProgram,
): Promise<() => Promise<void>> {
  const since = new Date(clock.wallTime()).toISOString()
  const owner = await createLockOwner(pid, since, random().toString(16).slice(2), program)
  return lockFolder(join(out, stateFolder), {
    self: owner,
    isRunning,
    onTakeover: (dead) =>
      void stderr.write(`claude-batch: took over from process ${dead.pid}, which is dead\n`),
  })
}
