import { join } from 'node:path'
import { toDocumentPath } from '../../core/document/document-path.ts'
import type { Candidate } from './candidate.ts'
import { excludedEntryProblem, type SkippedEntry } from './entry-filter.ts'
import type { Exclusions, ResolvedPath } from './exclusions.ts'
import type { IgnoreRules } from './ignore-rules.ts'
import { createWalk, type Walk } from './walk.ts'

export interface SearchOptions {
  readonly cwd: string
  readonly out?: string | undefined
  readonly hidden: boolean
  readonly follow: boolean
  readonly exclusions: Exclusions
  readonly ignoreRules: IgnoreRules | undefined
}

/** The documents below a folder, and what the user excluded. */
export interface SearchResult {
  readonly candidates: readonly Candidate[]
  /** Paths without symbolic links, for candidates that were reached through one. */
  readonly realPaths: ReadonlyMap<Candidate, string>
  /** Paths of files that are not wanted, and neither ignored nor excluded. */
  readonly unread: readonly string[]
  /** Paths of excluded files that would have been found, and of excluded folders, which are not searched. */
  readonly excluded: { readonly files: readonly string[]; readonly folders: readonly string[] }
}

/**
 * Searches a folder. It sees only the entries that `createWalk` does not filter out.
 * @param pattern a glob pattern; undefined to find all files
 * @param isWanted whether to return the file with this path
 * @throws UsageError for an ignore file above the folder that cannot be used
 */
export async function searchFolder(
  pattern: string | undefined,
  folder: ResolvedPath,
  options: SearchOptions,
  isWanted: (path: string) => boolean,
): Promise<SearchResult> {
  const { cwd, follow, exclusions } = options
  const prefix = toDocumentPath(folder.path, cwd).replace(/[^/]$/, '$&/')
  const excluded = { files: [] as string[], folders: [] as string[] }
  if (exclusions.isExcluded(folder, true)) {
    excluded.folders.push(prefix.replace(/\/$/, '') || '.')
    return { candidates: [], realPaths: new Map(), unread: [], excluded }
  }
  const skippedEntries: SkippedEntry[] = []
  const walk = await createWalk(folder, {
    ...options,
    onSkipped: (entry) => skippedEntries.push(entry),
    onExcludedFolder: (path) => excluded.folders.push(toDocumentPath(path, cwd)),
  })
  const candidates: Candidate[] = []
  const unread: string[] = []
  const realPaths = new Map<Candidate, string>()
  const hasNoLinks = !follow && folder.realPath === folder.path
  const names =
    pattern === undefined
      ? await listFiles(folder.path, walk)
      : await (await import('./match-files.ts')).matchFiles(pattern, folder.path, walk, follow)
  for (const name of names) {
    const path = prefix + name
    const isExcluded = walk.excluded.size > 0 && walk.excluded.has(join(folder.path, name))
    if (!isWanted(name)) {
      if (!isExcluded) unread.push(path)
      continue
    }
    if (isExcluded) {
      excluded.files.push(path)
      continue
    }
    const candidate = { index: 0, path, namedByUser: false, stats: undefined }
    candidates.push(candidate)
    if (hasNoLinks) continue
    const real = walk.findRealPath(join(folder.path, name))
    if (real !== join(folder.path, name)) realPaths.set(candidate, real)
  }
  for (const { file, problem } of skippedEntries) {
    if (problem.action === 'skip' && !isWanted(file)) continue
    const path = toDocumentPath(file, cwd)
    if (problem === excludedEntryProblem) excluded.files.push(path)
    else candidates.push({ index: 0, path, namedByUser: false, problem })
  }
  return { candidates, realPaths, unread, excluded }
}

/** How many folders are read at the same time. */
const maxOpenFolders = 8

/** Returns the paths of all files below a folder, relative to it and with `/`. */
async function listFiles(root: string, walk: Walk): Promise<readonly string[]> {
  const files: string[] = []
  const listFolder = async (path: string) => {
    const [folder, prefix] = path === '' ? [root, ''] : [join(root, path), `${path}/`]
    const subfolders: string[] = []
    for (const entry of await walk.readEntries(folder)) {
      const { name } = entry
      if (walk.isFolder(entry, entry.isSymbolicLink() ? join(folder, name) : ''))
        subfolders.push(prefix + name)
      else files.push(prefix + name)
    }
    return subfolders
  }
  const folders = ['']
  while (folders.length > 0) {
    const found = await Promise.all(folders.splice(-maxOpenFolders).map(listFolder))
    for (const subfolders of found) for (const subfolder of subfolders) folders.push(subfolder)
  }
  return files
}
