import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { ExitError } from '../errors.ts'
import { findLock } from '../storage/lock/find-lock.ts'
import { lockFileName } from '../storage/lock/lock-folder.ts'
import { lockOutputFolder } from './lock-output-folder.ts'
import type { NamedFolder } from './resolve-merge-folders.ts'

type LockRuntime = Parameters<typeof lockOutputFolder>[1]

/**
 * Locks a folder for a merge, so that no run changes it meanwhile. A source that cannot be written is only checked.
 * @returns a function that unlocks it, and whether a killed run had left its lock
 * @throws ExitError `locked` with the name of the folder; `ioError`
 */
export async function lockMergeFolder(
  { name, out }: NamedFolder,
  runtime: LockRuntime,
  { isSource, version }: { readonly isSource: boolean; readonly version: string },
): Promise<{ readonly unlock: () => Promise<void>; readonly wasKilled: boolean }> {
  const findFolderLock = () => findLock(join(out, stateFolder, lockFileName))
  const found = await findFolderLock()
  // A merge that was killed leaves the folder as complete as it was.
  const wasKilled = found !== undefined && found.owner?.command !== 'merge'
  try {
    const unlock = await lockOutputFolder(out, runtime, { command: 'merge', version, quiet: true })
    return { unlock, wasKilled }
  } catch (error) {
    if (!(error instanceof ExitError)) throw error
    if (error.exit === 'locked') throw new ExitError('locked', `${name}: ${error.message}`)
    if (!isSource || (await findFolderLock()) !== undefined) throw error
    return { unlock: async () => {}, wasKilled }
  }
}
