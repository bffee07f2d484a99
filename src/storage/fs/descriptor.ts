import { closeSync, fdatasync, fstatSync, writeSync } from 'node:fs'
import type { FileStats } from '../../core/document/document.ts'

/*
 * A round trip through the thread pool costs more CPU time than most operations on a file, so only syncing is
 * asynchronous. See `docs/decisions/0056-synchronous-files.md`.
 */

/** Writes all of a text or some bytes to an open file. @throws the system's error */
export function writeWhole(descriptor: number, content: string | Uint8Array): void {
  let bytes = typeof content === 'string' ? Buffer.from(content) : content
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(descriptor, bytes))
}

/** Flushes the content of an open file to the disk. @throws the system's error */
export function syncFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)))
  })
}

/** Returns the size and time of an open file. @throws the system's error */
export function readStats(descriptor: number): FileStats {
  const { size, mtimeMs } = fstatSync(descriptor)
  return { size, mtimeMs }
}

/** Closes an open file. @throws the system's error; the file is closed nevertheless */
export function closeFile(descriptor: number): void {
  closeSync(descriptor)
}
