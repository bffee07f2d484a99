import { dirname, join } from 'node:path'
import { listFolder, removeFile } from '../fs/no-follow-fs.ts'
import { findLock } from './find-lock.ts'
import { determineOwnerStatus, type LockOwner } from './lock-owner.ts'

/**
 * Returns the name of the draft: the file in which a process prepares its lock.
 * @param nonce of that process
 */
export function lockDraftName(nonce: string): string {
  return `lock-${nonce}.tmp`
}

/**
 * Removes the lock drafts of processes that were killed while they locked the folder. Keeps a draft that
 * cannot be read, or whose process may be running. Never rejects, because leftover drafts are harmless.
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
      // The next run tries again.
    }
  }
}
