import { normalize } from 'node:path'
import fastGlob, { type FileSystemAdapter } from 'fast-glob'
import type { Walk } from './walk.ts'

/** Returns the paths of the files below a folder that a glob pattern matches, relative to the folder and with `/`. */
export function matchFiles(
  pattern: string,
  cwd: string,
  { readEntries }: Walk,
  followSymbolicLinks: boolean,
): Promise<readonly string[]> {
  return fastGlob(pattern, {
    cwd,
    fs: { readdir: toReaddirCallback(readEntries) },
    // Not absolute: fast-glob would turn a backslash in a name into a slash.
    absolute: false,
    // The file system above already filters hidden, linked, ignored and excluded entries.
    dot: true,
    followSymbolicLinks,
    suppressErrors: true,
    // No check for duplicates is needed, because one pattern finds no file twice.
    unique: false,
  })
}

function toReaddirCallback(readEntries: Walk['readEntries']): FileSystemAdapter['readdir'] {
  const adapter = (
    directory: string,
    _options: unknown,
    done: (error: Error | null, entries: Awaited<ReturnType<Walk['readEntries']>>) => void,
  ) => {
    // fast-glob joins paths with `/`, also on Windows.
    readEntries(normalize(directory)).then(
      (entries) => done(null, entries),
      (error: Error) => done(error, []),
    )
  }
  return adapter as unknown as FileSystemAdapter['readdir']
}
