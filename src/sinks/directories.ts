import { constants, statSync } from 'node:fs'
import { mkdir, open, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isWithin } from '../core/source-path.ts'
import { cannotRead, cannotWrite } from './disk-error.ts'

/**
 * Makes a folder and those above it, up to `root`. Node's own recursive `mkdir` never ends where `/proc` answers
 * ENOENT for ever.
 */
export async function makeFolder(folder: string, root?: string): Promise<void> {
  const above = dirname(folder)
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && above !== folder && above !== root) {
      await makeFolder(above, root)
      await mkdir(folder).catch(unlessFolder(folder))
    } else await unlessFolder(folder)(error as NodeJS.ErrnoException)
  }
}

function unlessFolder(folder: string): (error: NodeJS.ErrnoException) => Promise<void> {
  return async (error) => {
    // Somebody else made it meanwhile, or it is a mount point that says EROFS before EEXIST.
    const stats = await stat(folder).catch(() => undefined)
    if (!stats?.isDirectory()) throw error
  }
}

/**
 * Brings the names in a folder onto the disk: a rename is only then safe from a loss of power.
 * @throws RunError `io`
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY)
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

/**
 * Whether a symbolic link leads a directory below `root`, as far as it is there, to somewhere else.
 * @throws RunError `io`
 */
export async function leadsOut(root: string, directory: string): Promise<boolean> {
  if (directory === root) return false
  const [realRoot, real] = [await realPathOf(root), await realPathOf(directory)]
  if (realRoot === undefined || real === undefined) return leadsOut(root, dirname(directory))
  return !isWithin(real, realRoot)
}

/** See {@link leadsOut}. @throws RunError `io` */
export type LeadsOut = (directory: string) => Promise<boolean>

/**
 * {@link leadsOut} for whoever asks about the same directories again and again: one that is still the very one it was is
 * still where it was.
 */
export function watchedRoot(root: string): LeadsOut {
  const known = new Map<string, string>()
  return async (directory) => {
    const identity = identityOf(directory)
    if (identity !== undefined && known.get(directory) === identity) return false
    if (await leadsOut(root, directory)) return true
    if (identity !== undefined) known.set(directory, identity)
    return false
  }
}

function identityOf(directory: string): string | undefined {
  try {
    const stats = statSync(directory, { throwIfNoEntry: false })
    return stats && `${stats.dev}:${stats.ino}`
  } catch {
    // The full look tells what is wrong.
    return undefined
  }
}

function realPathOf(file: string): Promise<string | undefined> {
  return realpath(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannotRead(file, error)
  })
}
