import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** What people write by hand says little; one larger than this was not written by hand. */
const maxBytes = 1_000_000

/**
 * Reads a file of rules or settings, which may come with somebody else's documents: a pipe of that name must not hold
 * up the process, nor a device fill its memory.
 * @throws Error whose message says what is wrong with it; see `describeFsError` for those of the system
 */
export async function readSmallFile(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('not a regular file')
    if (stats.size > maxBytes) throw new Error('larger than 1 MB')
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}
