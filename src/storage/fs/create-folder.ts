import { constants } from 'node:fs'
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toWriteError } from './disk-error.ts'
import { rejectSymlinks } from './symlinks.ts'

/**
 * Makes a folder and those above it. Node's own recursive `mkdir` never ends where `/proc` answers ENOENT for ever.
 * @throws the system's error
 */
export async function makeFolder(folder: string): Promise<void> {
  await createFolderChain(folder, stat)
}

/**
 * Makes a folder below an output folder, and those between the two; none of them may be a symbolic link.
 * @param root the output folder, which exists, or has been removed and stays so
 * @throws ExitError `ioError` where something else is in the place of one of them; the system's error
 */
export async function makeFolderBelow(root: string, folder: string): Promise<void> {
  rejectSymlinks(root, folder)
  await createFolderChain(folder, lstat, root)
}

async function createFolderChain(folder: string, statFolder: typeof stat, root?: string): Promise<void> {
  const parent = dirname(folder)
  const throwUnlessFolder = async (error: NodeJS.ErrnoException) => {
    // Another process made it meanwhile, or it is a mount point that says EROFS before EEXIST.
    const stats = await statFolder(folder).catch(() => undefined)
    if (!stats?.isDirectory()) throw error
  }
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' || parent === folder || parent === root)
      return throwUnlessFolder(error as NodeJS.ErrnoException)
    await createFolderChain(parent, statFolder, root)
    await mkdir(folder).catch(throwUnlessFolder)
  }
}

/**
 * Brings the names in a folder onto the disk: a rename is only then safe from a loss of power.
 * @throws ExitError `ioError`
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0))
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Some file systems, and Windows, have no such thing.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP', 'EBADF'].includes(code))
      throw toWriteError(folder, error as NodeJS.ErrnoException)
  }
}
