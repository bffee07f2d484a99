import { isAbsolute, relative, resolve, sep } from 'node:path'

/** As users know a file: relative where it lies below the working directory (which itself is ``), absolute otherwise. */
export function toDocumentPath(file: string, cwd: string): string {
  const below = relative(cwd, file)
  if (below === '-') return './-'
  return (isInside(file, cwd) ? below : file).split(sep).join('/')
}

/** Whether a path is a folder or below it, without resolving links; both absolute. On another drive, `relative` gives up. */
export function isInside(file: string, folder: string): boolean {
  const below = relative(folder, file)
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)
}

/**
 * The path by which a run in one working directory knows what a run in another one knew as `path`, so that two of
 * them never take different documents for one, nor one for two.
 * @param newCwd the one's working directory, and `there` the other's, both as seen from the folder `from`
 */
export function rebasePath(baseFolder: string, newCwd: string, oldCwd: string, path: string): string {
  if (newCwd === oldCwd || path === '-') return path
  return toDocumentPath(resolve(baseFolder, oldCwd, path), resolve(baseFolder, newCwd))
}
