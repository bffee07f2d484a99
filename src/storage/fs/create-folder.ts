import { constants } from 'node:fs'
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toWriteError } from './disk-error.ts'
import { rejectSymlinks } from './symlinks.ts'

/**
 * Creates a folder and its missing parents. Node's recursive `mkdir` loops endlessly in `/proc`, which always
 * answers ENOENT.
 * @throws the system's error
 */
export async function makeFolder(folder: string): Promise<void> {
  await createFolderChain(folder, stat)
}

/**
 * Creates a folder below an output folder, and the folders between them. None of them may be a symbolic link.
 * @param root the output folder; never created, even if it was removed during the run
 * @throws ExitError `ioError` if one of the paths is not a folder; the system's error
 */
export async function makeFolderBelow(root: string, folder: string): Promise<void> {
  rejectSymlinks(root, folder)
  await createFolderChain(folder, lstat, root)
}

async function createFolderChain(folder: string, statFolder: typeof stat, root?: string): Promise<void> {
  const parent = dirname(folder)
  const throwUnlessFolder = async (error: NodeJS.ErrnoException) => {
    // Another process may have created the folder; a read-only mount point reports EROFS instead of EEXIST.
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
 * Flushes a folder's entries to disk. Without this, a rename may be lost in a power failure.
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
    const { code = '' } = error as NodeJS.ErrnoException
    if (!cannotSyncCodes.has(code)) throw toWriteError(folder, error as NodeJS.ErrnoException)
  }
}

/** The errors of Windows and of file systems that cannot open or sync a folder. */
const cannotSyncCodes: ReadonlySet<string> = new Set([
  'EACCES',
  'EBADF',
  'EINVAL',
  'EISDIR',
  'ENOSYS',
  'ENOTSUP',
  'EPERM',
  'UNKNOWN',
])
