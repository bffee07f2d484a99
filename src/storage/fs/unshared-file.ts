import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from './atomic-write.ts'
import { syncFolder } from './create-folder.ts'
import { openForAppending } from './no-follow-fs.ts'

/**
 * Opens a file in an output folder for reading and appending; creates it if it does not exist. A file with
 * hard links (a backup made with `cp -al`, or a link to an unrelated file) is first replaced by a copy, so
 * that appended text does not appear under its other names.
 * @throws ExitError `ioError`; the system's error
 */
export async function openUnsharedFile(root: string, file: string, mode: number): Promise<FileHandle> {
  const handle = await openForAppending(root, file, mode)
  try {
    if ((await handle.stat()).nlink <= 1) return handle
    await writeFileAtomic(root, file, streamContent(handle), createTempNonce('copy'), mode)
    await syncFolder(dirname(file))
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
  return openForAppending(root, file, mode)
}

/** Returns a nonce for a temporary file outside a run. @param purpose letters that describe the file */
export function createTempNonce(purpose: string): string {
  return `${randomBytes(6).toString('hex')}-${purpose}`
}

/** Reads an open file from its beginning and closes it, because Windows does not replace an open file. */
export async function* streamContent(handle: FileHandle): AsyncGenerator<Uint8Array> {
  yield* handle.createReadStream({ start: 0, autoClose: false })
  await handle.close()
}
