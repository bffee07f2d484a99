import { constants } from 'node:fs'
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toWriteError } from './disk-error.ts'
import { rejectSymlinks } from './symlinks.ts'

/**
 * Creates a folder and its missing parents, and syncs their names to the disk. Node's recursive `mkdir` loops
 * endlessly in `/proc`, which always answers ENOENT.
 * @throws the system's error; ExitError `ioError`
 */
export async function makeFolder(folder: string): Promise<void> {
  for (const created of await createFolderChain(folder, stat)) await syncFolder(dirname(created))
}

/**
 * Creates a folder below an output folder, and the folders between them. None of them may be a symbolic link. Their
 * names may be lost in a power failure until `syncFolder` was called for the folders that contain them.
 * @param root the output folder; never created, even if it was removed during the run
 * @throws ExitError `ioError` if one of the paths is not a folder; the system's error
 */
export async function makeFolderBelow(root: string, folder: string): Promise<void> {
  rejectSymlinks(root, folder)
  await createFolderChain(folder, lstat, root)
}

/** Returns the folders that it created, from the top down. */
async function createFolderChain(folder: string, statFolder: typeof stat, root?: string): Promise<string[]> {
  const parent = dirname(folder)
  const create = async (): Promise<string[]> => {
    await mkdir(folder)
    return [folder]
  }
  const acceptFolder = async (error: NodeJS.ErrnoException): Promise<string[]> => {
    // Another process may have created the folder; a read-only mount point reports EROFS instead of EEXIST.
    const stats = await statFolder(folder).catch(() => undefined)
    if (!stats?.isDirectory()) throw error
    return []
  }
  return create().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || parent === folder || parent === root) return acceptFolder(error)
    const parents = await createFolderChain(parent, statFolder, root)
    return [...parents, ...(await create().catch(acceptFolder))]
  })
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

/**
 * Flushes the entries of folders to disk, and those of the folders above them that may be new.
 * @param root the output folder, which contains all of them
 * @throws ExitError `ioError`
 */
export async function syncFolders(root: string, folders: Iterable<string>): Promise<void> {
  const all = new Set<string>()
  for (let folder of folders) {
    for (; folder !== root && !all.has(folder); folder = dirname(folder)) all.add(folder)
    all.add(root)
  }
  for (const folder of all) await syncFolder(folder)
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
