import type { Dirent } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { createEntryFilter, type EntryFilterOptions, toRulesProblem } from './entry-filter.ts'
import type { ResolvedPath } from './exclusions.ts'
import { isLinkLoop } from './link-target.ts'
import { createIgnoreRulesBelow } from './nested-ignore-rules.ts'

export interface WalkOptions
  extends Omit<EntryFilterOptions, 'root' | 'rulesBelow' | 'excluded' | 'realPaths' | 'linkedFolders'> {
  /** Called with each folder that is not searched because the user excludes it. */
  readonly onExcludedFolder: (folder: string) => void
}

/** A filtered view of the file system, and what is known about the entries it has shown. */
export interface Walk {
  /** Returns the entries of a folder that the search may see. @param folder absolute path */
  readEntries(folder: string): Promise<readonly Dirent[]>
  /** Whether an entry that was seen is a folder, or a link to one that is followed. @param path absolute */
  isFolder(entry: Dirent, path: string): boolean
  /** Files and folders that were seen, and that the user excludes. */
  readonly excluded: ReadonlySet<string>
  /** Returns the path without symbolic links. */
  findRealPath(file: string): string
}

/**
 * Creates the view of a folder that a search has. It has no hidden or ignored files, no output folder, and no outputs
 * of earlier runs. Excluded entries are shown, but not the content of excluded folders, so that the caller can report
 * the excluded documents.
 * @param root the folder; its `path` is as the user named it
 * @throws UsageError for an ignore file above the folder that cannot be used
 */
export async function createWalk(root: ResolvedPath, options: WalkOptions): Promise<Walk> {
  const { follow, ignoreRules, exclusions, onSkipped, onExcludedFolder } = options
  const rulesBelow = ignoreRules && (await createIgnoreRulesBelow(root.realPath, ignoreRules))
  const excluded = new Set<string>()
  const realPaths = new Map([[root.path, root.realPath]])
  const linkedFolders = new Set<string>()
  const filterEntries = createEntryFilter({
    ...options,
    root,
    rulesBelow,
    excluded,
    realPaths,
    linkedFolders,
  })
  const findRealPath = (path: string) =>
    realPaths.get(path) ?? join(realPaths.get(dirname(path)) ?? dirname(path), basename(path))

  const readVisibleEntries = async (path: string): Promise<Dirent[]> => {
    if (excluded.has(path)) {
      exclusions.markUnsearched({ path, realPath: findRealPath(path) })
      onExcludedFolder(path)
      return []
    }
    const folder = { path, realPath: follow ? await readRealPath(path) : findRealPath(path) }
    realPaths.set(path, folder.realPath)
    if (follow && isLinkLoop(path, root.path, realPaths)) return []
    const entries = await readEntries(path, root.path)
    const visible = 'action' in entries ? entries : await filterEntries(folder, entries).catch(toRulesProblem)
    if (!('action' in visible)) return visible
    onSkipped({ file: path, problem: visible })
    return []
  }
  return {
    readEntries: readVisibleEntries,
    isFolder: (entry, path) => entry.isDirectory() || linkedFolders.has(path),
    excluded,
    findRealPath,
  }
}

function readRealPath(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}

/**
 * Returns the entries of a folder, or why it cannot be read. A root that does not exist has no entries,
 * because a pattern may begin with a missing folder.
 */
async function readEntries(folder: string, root: string): Promise<Dirent[] | InputProblem> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (folder === root && (code === 'ENOENT' || code === 'ENOTDIR')) return []
    if (code === 'ENOENT' && folder.includes('\ufffd'))
      return {
        action: 'fail',
        type: 'bad_name',
        message: 'the name of this directory is not UTF-8; rename it',
      }
    const message = `cannot read this directory: ${describeFsError(error as Error)}`
    return { action: 'fail', type: 'unreadable', message }
  }
}
