import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { toUtf8 } from '../core/text/to-utf8.ts'

/** Maximum size in bytes. Rules and settings are written by hand; a larger file is something else. */
const maxBytes = 1_000_000

/**
 * Reads a file of rules or settings. The file may come with untrusted documents: a pipe must not block the
 * process, and a device must not fill its memory. UTF-16 with a byte-order mark is converted to UTF-8.
 * @throws Error whose message describes the problem; see `describeFsError` for errors of the system
 */
export async function readSmallFile(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('not a regular file')
    if (stats.size > maxBytes) throw new Error('larger than 1 MB')
    return toUtf8(await handle.readFile())
  } finally {
    await handle.close()
  }
}
