import { dirname, join } from 'node:path'
import { listFolder, removeFile } from '../fs/no-follow-fs.ts'
import { findLock } from './find-lock.ts'
import { determineOwnerStatus, type LockOwner } from './lock-owner.ts'

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
  self: LockOwner,
  isRunning: (pid: number) => boolean,
): Promise<void> {
  const root = dirname(folder)
  const names = await listFolder(root, folder).catch(() => [])
  for (const name of names.filter((name) => /^lock-[0-9a-z]+\.tmp$/.test(name))) {
    const draft = join(folder, name)
    try {
      const owner = (await findLock(draft))?.owner
      const isNamedForOwner = owner !== undefined && name === lockDraftName(owner.nonce)
      if (isNamedForOwner && (await determineOwnerStatus(owner, self, isRunning)) === 'dead')
        await removeFile(root, draft)
    } catch {
      // It is looked at again by the next run.
    }
  }
}
