import { lstatSync, type Stats } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ExitError } from '../../errors.ts'
import { toReadError } from './disk-error.ts'

/*
 * The functions here look without waiting: there are a few names for each document, and a look takes microseconds.
 */

/**
 * The first symbolic link on the way from an output folder down to a folder, which itself counts, as far as that
 * exists. The output folder itself may be a link: the user named it.
 * @param root the output folder
 * @throws ExitError `ioError`, also where something else is in the place of a folder
 */
export function findSymlink(root: string, folder: string): string | undefined {
  let at = root
  for (const name of relative(root, folder).split(sep)) {
    if (name === '') continue
    at = join(at, name)
    const stats = lstatIfPresent(at)
    if (stats === undefined) return undefined
    if (stats.isSymbolicLink()) return at
    if (!stats.isDirectory()) throw unusablePathError(at, 'it is not a directory')
  }
  return undefined
}

/** @throws ExitError `ioError`, also where {@link findSymlink} finds one */
export function rejectSymlinks(root: string, folder: string): void {
  const link = findSymlink(root, folder)
  if (link !== undefined) throw unusablePathError(link, symlinkReason)
}

/** What a path names; a link is shown as the link it is. Undefined where there is nothing. @throws ExitError `ioError` */
export function lstatIfPresent(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // A file in the place of a folder (findLink has looked at those below the output folder), or a name or path that no
    // file can have: the output folder was moved further down, or its ledger names anything.
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw toReadError(path, error as NodeJS.ErrnoException)
  }
}

/** Whether the file system allows no such name or path, as far as the folders exist. */
export function isPathTooLong(path: string): boolean {
  try {
    lstatSync(path, { throwIfNoEntry: false })
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG'
  }
}

export const symlinkReason = 'it is a symbolic link'

/** The error for a file or folder below an output folder that claude-batch does not touch. */
export function unusablePathError(path: string, reason: string): ExitError {
  return new ExitError('ioError', `cannot use ${path}: ${reason}; move it out of the way`)
}
