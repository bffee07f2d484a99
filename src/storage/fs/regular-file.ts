import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/**
 * Opens a file for reading that ought to be one of our own. A pipe of its name must not hold up the process, nor a
 * device fill its memory.
 * @returns undefined where nothing is
 * @throws the system's error; Error whose message says what it is, where it is no regular file
 */
export async function openExistingRegularFile(file: string): Promise<FileHandle | undefined> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      // What a socket answers.
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
