import { lstatSync, realpathSync, statSync } from 'node:fs'
import { platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { FileStats, InputProblem } from '../../core/document/document.ts'
import { reasonOf } from './reason.ts'

/** What a path leads to that the user named. */
export type NamedPath =
  | { readonly is: 'nothing' }
  | { readonly is: 'folder' }
  | { readonly is: 'file'; readonly isLink: boolean; readonly stats: FileStats }
  | { readonly is: 'unusable'; readonly problem: InputProblem }

/** Looks at a path without waiting, since a list may have a hundred thousand of them; see `docs/decisions/0009`. */
export function lookAtNamedPath(path: string): NamedPath {
  try {
    const own = lstatSync(path, { throwIfNoEntry: false })
    if (own === undefined) return { is: 'nothing' }
    const isLink = own.isSymbolicLink()
    const stats = isLink ? statSync(path, { throwIfNoEntry: false }) : own
    // The link itself exists, and a shell's `*` may have named it.
    if (stats === undefined)
      return { is: 'unusable', problem: { as: 'fail', type: 'vanished', message: 'the link leads nowhere' } }
    if (stats.isDirectory()) return { is: 'folder' }
    if (stats.isFile()) return { is: 'file', isLink, stats: { size: stats.size, mtimeMs: stats.mtimeMs } }
    return { is: 'unusable', problem: { as: 'fail', type: 'not_a_file', message: 'not a regular file' } }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG') return { is: 'nothing' }
    return { is: 'unusable', problem: { as: 'fail', type: 'unreadable', message: reasonOf(error as Error) } }
  }
}

/**
 * Finds paths without symbolic links. The system is asked once for each folder, and for files that are links.
 * @returns a function that falls back on the path it is given where the real one cannot be known
 */
export function createRealPaths(): (path: string, isLink?: boolean) => string {
  const known = new Map<string, string>()
  const ofFolder = (folder: string) => {
    const real = known.get(folder) ?? realPathOf(folder)
    known.set(folder, real)
    return real
  }
  // There, names in another case lead to the same file.
  const isCaseFolded = platform() === 'darwin' || platform() === 'win32'
  return (path, isLink = false) =>
    isLink || isCaseFolded ? realPathOf(path) : join(ofFolder(dirname(path)), basename(path))
}

function realPathOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}
