import { lstatSync, type Stats } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ExitError } from '../../errors.ts'
import { toReadError } from './disk-error.ts'

/*
 * These functions are synchronous: each document needs only a few `lstat` calls, which take microseconds.
 */

/**
 * Returns the first symbolic link on the path from an output folder down to `folder`, including `folder`.
 * Returns undefined if there is no link. The output folder itself may be a link, because the user named it.
 * @param root the output folder
 * @throws ExitError `ioError`, also if a part of the path is not a folder
 */
export function findSymlink(root: string, folder: string): string | undefined {
  for (const at of listFoldersBelow(root, folder)) {
    const stats = lstatIfPresent(at)
    if (stats === undefined) return undefined
    if (stats.isSymbolicLink()) return at
    if (!stats.isDirectory()) throw unusablePathError(at, 'it is not a directory')
  }
  return undefined
}

/** Returns the folders from below `root` down to `folder`. Several times as fast as `relative`, for each document. */
function listFoldersBelow(root: string, folder: string): string[] {
  const prefix = root.endsWith(sep) ? root : root + sep
  const folders: string[] = []
  if (folder === root) return folders
  if (!folder.startsWith(prefix))
    return relative(root, folder)
      .split(sep)
      .filter((name) => name !== '')
      .map((_, n, names) => join(root, ...names.slice(0, n + 1)))
  for (let end = folder.indexOf(sep, prefix.length); end !== -1; end = folder.indexOf(sep, end + 1))
    folders.push(folder.slice(0, end))
  folders.push(folder)
  return folders
}

/**
 * Throws if a folder is reached through a symbolic link; see {@link findSymlink}.
 * @throws ExitError `ioError`
 */
export function rejectSymlinks(root: string, folder: string): void {
  const link = findSymlink(root, folder)
  if (link !== undefined) throw unusablePathError(link, symlinkReason)
}

/**
 * Returns the metadata of a path, without following a link; undefined if it does not exist.
 * @throws ExitError `ioError`
 */
export function lstatIfPresent(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // ENOTDIR: a parent is a file. ENAMETOOLONG: no file can have this name or path, because the output
    // folder was moved to a longer path, or because its ledger is not from claude-batch.
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw toReadError(path, error as NodeJS.ErrnoException)
  }
}

/**
 * Whether the file system rejects a path as too long. It checks the length of a name only if the folder that
 * contains it exists.
 */
export function isPathTooLong(path: string): boolean {
  try {
    lstatSync(path, { throwIfNoEntry: false })
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG'
  }
}

export const symlinkReason = 'it is a symbolic link'

/** Returns the error for a file or folder below an output folder that claude-batch refuses to use. */
export function unusablePathError(path: string, reason: string): ExitError {
  return new ExitError('ioError', `cannot use ${path}: ${reason}; move it out of the way`)
}
