import { constants } from 'node:fs'
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { refuseLinks } from './check-links.ts'
import { cannotWrite } from './disk-error.ts'

/**
 * Makes a folder and those above it. Node's own recursive `mkdir` never ends where `/proc` answers ENOENT for ever.
 * @throws the system's error
 */
export async function makeFolder(folder: string): Promise<void> {
  await made(folder, stat)
}

/**
 * Makes a folder below an output folder, and those between the two; none of them may be a symbolic link.
 * @param root the output folder, which exists, or has been removed and stays so
 * @throws RunError `io` where something else is in the place of one of them; the system's error
 */
export async function makeFolderBelow(root: string, folder: string): Promise<void> {
  refuseLinks(root, folder)
  await made(folder, lstat, root)
}

async function made(folder: string, look: typeof stat, root?: string): Promise<void> {
  const above = dirname(folder)
  const unlessFolder = async (error: NodeJS.ErrnoException) => {
    // Another process made it meanwhile, or it is a mount point that says EROFS before EEXIST.
    const stats = await look(folder).catch(() => undefined)
    if (!stats?.isDirectory()) throw error
  }
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' || above === folder || above === root)
      return unlessFolder(error as NodeJS.ErrnoException)
    await made(above, look, root)
    await mkdir(folder).catch(unlessFolder)
  }
}

/**
 * Brings the names in a folder onto the disk: a rename is only then safe from a loss of power.
 * @throws RunError `io`
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
      throw cannotWrite(folder, error as NodeJS.ErrnoException)
  }
}
