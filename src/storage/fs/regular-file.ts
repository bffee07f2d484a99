import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/**
 * Opens a file for reading. Refuses everything except a regular file: opening a pipe would block, and reading
 * a device would fill the memory.
 * @returns undefined if the file does not exist
 * @throws the system's error; an Error with the reason if it is not a regular file
 */
export async function openExistingRegularFile(file: string): Promise<FileHandle | undefined> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      // Opening a socket fails with ENXIO.
      throw error.code === 'ENXIO' ? notRegularFileError() : error
    },
  )
  if (handle === undefined) return undefined
  try {
    if (!(await handle.stat()).isFile()) throw notRegularFileError()
    return handle
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}

function notRegularFileError(): Error {
  return new Error('not a regular file; move it out of the way')
}
