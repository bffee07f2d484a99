import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { writeFileAtomic } from './atomic-write.ts'
import { openForAppending } from './no-follow-fs.ts'

/**
 * Opens a file of an output folder for reading, and for writing at its end; makes it where there is none. What is
 * written shows under no other name: a file with several (a backup made with `cp -al`, or a hard link to a file of
 * another purpose) is replaced by a copy first.
 * @throws ExitError `ioError`; the system's error
 */
export async function openUnsharedFile(root: string, file: string, mode: number): Promise<FileHandle> {
  const handle = await openForAppending(root, file, mode)
  try {
    if ((await handle.stat()).nlink <= 1) return handle
    await writeFileAtomic(root, file, streamContent(handle), createTempNonce('copy'), mode)
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
  await handle.close()
  return openForAppending(root, file, mode)
}

/** For a temporary file of a process that has no run. @param purpose it becomes: letters */
export function createTempNonce(purpose: string): string {
  return `${randomBytes(6).toString('hex')}-${purpose}`
}

/** What is in an open file from its beginning; the file stays open. */
export function streamContent(handle: FileHandle): AsyncIterable<Uint8Array> {
  return handle.createReadStream({ start: 0, autoClose: false })
}
