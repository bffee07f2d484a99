import { dirname, join } from 'node:path'
import { listFolder, removeFile } from '../fs/output-files.ts'
import { findLock } from './found-lock.ts'
import { fateOf, type Holder } from './lock-owner.ts'

/** The file in which a process prepares its lock. @param nonce of that process */
export function lockDraftName(nonce: string): string {
  return `lock-${nonce}.tmp`
}

/**
 * Removes the drafts of locks that processes left which were killed while they locked the folder. One whose process may
 * be running stays, and so does one that cannot be read. Rejects never: drafts do no harm.
 * @param folder the state folder, locked by `self`
 */
export async function removeDeadDrafts(
  folder: string,
  self: Holder,
  isRunning: (pid: number) => boolean,
): Promise<void> {
  const root = dirname(folder)
  const names = await listFolder(root, folder).catch(() => [])
  for (const name of names.filter((name) => /^lock-[0-9a-z]+\.tmp$/.test(name))) {
    const draft = join(folder, name)
    try {
      const holder = (await findLock(draft))?.holder
      const isItsOwn = holder !== undefined && name === lockDraftName(holder.nonce)
      if (isItsOwn && (await fateOf(holder, self, isRunning)) === 'dead') await removeFile(root, draft)
    } catch {
      // It is looked at again by the next run.
    }
  }
}
