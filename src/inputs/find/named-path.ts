import { lstatSync, realpathSync, statSync } from 'node:fs'
import { platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { FileStats, InputProblem } from '../../core/document/document.ts'
import { isInside } from '../../core/document/document-path.ts'
import { describeFsError } from '../describe-fs-error.ts'

/** The target of a path that the user named. */
export type NamedPath =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly isLink: boolean; readonly stats: FileStats }
  | { readonly kind: 'unusable'; readonly problem: InputProblem }

/**
 * Returns what a path leads to. Synchronous, because a list may have a hundred thousand paths; see
 * docs/decisions/0009-synchronous-stat.md.
 */
export function inspectNamedPath(path: string): NamedPath {
  try {
    const linkStats = lstatSync(path, { throwIfNoEntry: false })
    if (linkStats === undefined) return { kind: 'nothing' }
    const isLink = linkStats.isSymbolicLink()
    const stats = isLink ? statSync(path, { throwIfNoEntry: false }) : linkStats
    // The link itself exists, and a shell's `*` may have named it.
    if (stats === undefined)
      return {
        kind: 'unusable',
        problem: { action: 'fail', type: 'vanished', message: 'the link leads nowhere' },
      }
    if (stats.isDirectory()) return { kind: 'folder' }
    if (stats.isFile()) return { kind: 'file', isLink, stats: { size: stats.size, mtimeMs: stats.mtimeMs } }
    return {
      kind: 'unusable',
      problem: { action: 'fail', type: 'not_a_file', message: 'not a regular file' },
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG') return { kind: 'nothing' }
    return {
      kind: 'unusable',
      problem: { action: 'fail', type: 'unreadable', message: describeFsError(error as Error) },
    }
  }
}

/**
 * Resolves symbolic links in paths, with one system call for each folder and for each file that is a link.
 * @returns a function that returns the given path if it cannot be resolved
 */
export function createRealPathFinder(): (path: string, isLink?: boolean) => string {
  const folders = new Map<string, string>()
  const findFolderRealPath = (folder: string) => {
    const real = folders.get(folder) ?? resolveRealPath(folder)
    folders.set(folder, real)
    return real
  }
  return (path, isLink = false) =>
    isLink || isCaseFolded ? resolveRealPath(path) : join(findFolderRealPath(dirname(path)), basename(path))
}

/** Whether names that differ only in case lead to the same file. */
const isCaseFolded = platform() === 'darwin' || platform() === 'win32'

/**
 * Returns a path as the file system spells it, so that `DOCS/A.md` is the document `docs/a.md` in every run, and
 * so are names whose accents are composed in another way. Symbolic links are kept.
 */
export function findSpelling(path: string, cwd: string): string {
  return isCaseFolded ? chooseSpelling(path, resolveRealPath(path), cwd) : path
}

/** Returns the real path if it is another spelling of the path, or else the path, which leads over a link. */
export function chooseSpelling(path: string, realPath: string, cwd: string): string {
  const fold = (text: string) => text.normalize('NFC').toLowerCase()
  // The working directory may be spelled differently, too. A document in it must keep its relative path.
  return fold(path) === fold(realPath) && isInside(path, cwd) === isInside(realPath, cwd) ? realPath : path
}

function resolveRealPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}
