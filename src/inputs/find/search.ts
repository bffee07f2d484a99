import { join } from 'node:path'
import fastGlob from 'fast-glob'
import { sourcePath } from '../../core/document/document-path.ts'
import type { Candidate } from './candidate.ts'
import type { Exclusions, Names } from './exclusions.ts'
import type { IgnoreRules } from './ignore-rules.ts'
import { excludedEntry, type PassedOver } from './visible-entries.ts'
import { createWalk } from './walk.ts'

export interface SearchOptions {
  readonly cwd: string
  readonly out?: string | undefined
  readonly hidden: boolean
  readonly follow: boolean
  readonly exclusions: Exclusions
  readonly ignoreRules: IgnoreRules | undefined
}

/** What is below a folder. */
export interface Searched {
  readonly candidates: readonly Candidate[]
  /** Paths without symbolic links, of the candidates that were reached through one. */
  readonly realPaths: ReadonlyMap<Candidate, string>
  /** Paths of what would have been found, were it not excluded; of folders that were not searched, the folder's. */
  readonly excluded: { readonly files: readonly string[]; readonly folders: readonly string[] }
}

/**
 * Runs fast-glob once, over a file system that shows it no more than may be taken.
 * @param isWanted whether a file of this path is to be taken
 * @throws UsageError for an ignore file above the folder that cannot be used
 */
export async function search(
  pattern: string,
  folder: Names,
  options: SearchOptions,
  isWanted: (path: string) => boolean,
): Promise<Searched> {
  const { cwd, follow, exclusions } = options
  const prefix = sourcePath(folder.path, cwd).replace(/[^/]$/, '$&/')
  const excluded = { files: [] as string[], folders: [] as string[] }
  if (exclusions.covers(folder, true)) {
    excluded.folders.push(prefix.replace(/\/$/, '') || '.')
    return { candidates: [], realPaths: new Map(), excluded }
  }
  const passedOver: PassedOver[] = []
  const walk = await createWalk(folder, {
    ...options,
    onPassedOver: (it) => passedOver.push(it),
    onExcludedFolder: (path) => excluded.folders.push(sourcePath(path, cwd)),
  })
  const candidates: Candidate[] = []
  const realPaths = new Map<Candidate, string>()
  const isReal = !follow && folder.real === folder.path
  for await (const text of globbed(pattern, folder.path, walk.fileSystem, follow)) {
    const name = String(text)
    if (!isWanted(name)) continue
    const path = prefix + name
    if (walk.excluded.size > 0 && walk.excluded.has(join(folder.path, name))) {
      excluded.files.push(path)
      continue
    }
    const candidate = { index: 0, path, named: false, stats: undefined }
    candidates.push(candidate)
    if (isReal) continue
    const real = walk.realPathOf(join(folder.path, name))
    if (real !== join(folder.path, name)) realPaths.set(candidate, real)
  }
  for (const { file, problem } of passedOver) {
    if (problem.as === 'skip' && !isWanted(file)) continue
    const path = sourcePath(file, cwd)
    if (problem === excludedEntry) excluded.files.push(path)
    else candidates.push({ index: 0, path, named: false, problem })
  }
  return { candidates, realPaths, excluded }
}

function globbed(
  pattern: string,
  cwd: string,
  fs: Parameters<typeof fastGlob.stream>[1] extends { fs?: infer FileSystem } | undefined
    ? FileSystem
    : never,
  followSymbolicLinks: boolean,
): NodeJS.ReadableStream {
  return fastGlob.stream(pattern, {
    cwd,
    ...(fs !== undefined && { fs }),
    // Not absolute: fast-glob would turn a backslash in a name into a slash.
    absolute: false,
    // What is hidden, linked, ignored or excluded is decided by the file system above, in one place.
    dot: true,
    followSymbolicLinks,
    suppressErrors: true,
    // One pattern meets no file twice.
    unique: false,
  })
}
