import { isAbsolute, relative, resolve, sep } from 'node:path'

/**
 * Returns the path of a file as users see it: relative if the file is in the working directory, absolute
 * otherwise. The working directory itself is the empty string.
 */
export function toDocumentPath(file: string, cwd: string): string {
  const below = relative(cwd, file)
  if (below === '-') return './-'
  return toSlashes(isInside(file, cwd) ? below : file)
}

/** Returns a path with `/`, which Windows accepts too. @param separator of the system */
export function toSlashes(path: string, separator: string = sep): string {
  return path.replaceAll(separator, '/')
}

/** Returns the path of the working directory relative to an output folder, with `/`. Both are absolute. */
export function computeCwdFromOut(out: string, cwd: string): string {
  return toSlashes(relative(out, cwd))
}

/** Whether a path is a folder or inside it. Both paths are absolute; links are not resolved. */
export function isInside(file: string, folder: string): boolean {
  // An absolute path, if the two are on different drives.
  const below = relative(folder, file)
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)
}

/** Whether the path of a document, as in a {@link DocumentRef}, is in the working directory; links are not resolved. */
export function isInWorkingDirectory(path: string): boolean {
  const folder = resolve('/folder')
  return isInside(resolve(folder, path), folder)
}

/**
 * Returns the path of a document for a run in another working directory. This way, two runs use the same path
 * for the same document, and different paths for different documents.
 * @param baseFolder the folder that `newCwd` and `oldCwd` are relative to
 * @param path of the document, in a run in `oldCwd`
 */
export function rebasePath(baseFolder: string, newCwd: string, oldCwd: string, path: string): string {
  if (newCwd === oldCwd || path === '-') return path
  return toDocumentPath(resolve(baseFolder, oldCwd, path), resolve(baseFolder, newCwd))
}
