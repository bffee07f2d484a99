import { type Dirent, readdir, realpath } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { FileSystemAdapter } from 'fast-glob'
import type { InputProblem } from '../../core/document/document.ts'
import type { Names } from './exclusions.ts'
import { createIgnoreRulesBelow } from './ignore-rules-below.ts'
import { reasonOf } from './reason.ts'
import { isLoop } from './resolve-links.ts'
import { createEntryFilter, type EntryFilterOptions, unusableRules } from './visible-entries.ts'

export interface WalkOptions extends Omit<EntryFilterOptions, 'root' | 'rulesBelow' | 'excluded' | 'real'> {
  /** Called with each folder that is not searched because the user excludes it. */
  readonly onExcludedFolder: (folder: string) => void
}

/** What a walk shows of the file system, and what it knows of the files it has shown. */
export interface Walk {
  readonly fileSystem: Partial<FileSystemAdapter>
  /** Files and folders that were seen, and that the user excludes. */
  readonly excluded: ReadonlySet<string>
  /** The path without symbolic links. */
  realPathOf(file: string): string
}

/**
 * Shows fast-glob what is below a folder, without hidden and ignored files, the output folder, and what earlier runs
 * wrote. Filtering here, before fast-glob descends, is what keeps it out of ignored trees. What the user excludes is
 * shown, but nothing that is in an excluded folder: so the caller learns what else would have been found.
 * @param root by its absolute path, as it was named
 * @throws UsageError for an ignore file above that cannot be used
 */
export async function createWalk(root: Names, options: WalkOptions): Promise<Walk> {
  const { follow, ignoreRules, exclusions, onPassedOver, onExcludedFolder } = options
  const rulesBelow = ignoreRules && (await createIgnoreRulesBelow(root.real, ignoreRules))
  const excluded = new Set<string>()
  const real = new Map([[root.path, root.real]])
  const visibleIn = createEntryFilter({ ...options, root, rulesBelow, excluded, real })
  const realPathOf = (path: string) =>
    real.get(path) ?? join(real.get(dirname(path)) ?? dirname(path), basename(path))

  const look = async (path: string): Promise<Dirent[]> => {
    if (excluded.has(path)) {
      exclusions.passOver({ path, real: realPathOf(path) })
      onExcludedFolder(path)
      return []
    }
    const folder = { path, real: follow ? await realPathOn(path) : realPathOf(path) }
    real.set(path, folder.real)
    if (follow && isLoop(path, root.path, real)) return []
    const entries = await entriesIn(path, root.path)
    const visible = 'as' in entries ? entries : await visibleIn(folder, entries).catch(unusableRules)
    if (!('as' in visible)) return visible
    onPassedOver({ file: path, problem: visible })
    return []
  }
  return { fileSystem: { readdir: asCallback(look) }, excluded, realPathOf }
}

function realPathOn(path: string): Promise<string> {
  return promisify(realpath)(path).catch(() => path)
}

/** What a folder holds, or why that cannot be known. A pattern may begin where there is nothing: then it matches nothing. */
async function entriesIn(folder: string, root: string): Promise<Dirent[] | InputProblem> {
  try {
    return await promisify(readdir)(folder, { withFileTypes: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (folder === root && (code === 'ENOENT' || code === 'ENOTDIR')) return []
    if (code === 'ENOENT' && folder.includes('\ufffd'))
      return { as: 'fail', type: 'bad_name', message: 'the name of this directory is not UTF-8; rename it' }
    const message = `cannot read this directory: ${reasonOf(error as Error)}`
    return { as: 'fail', type: 'unreadable', message }
  }
}

function asCallback(look: (folder: string) => Promise<Dirent[]>): FileSystemAdapter['readdir'] {
  const adapter = (
    directory: string,
    _options: unknown,
    done: (error: Error | null, entries: Dirent[]) => void,
  ) => {
    look(directory).then(
      (entries) => done(null, entries),
      (error: Error) => done(error, []),
    )
  }
  return adapter as unknown as FileSystemAdapter['readdir']
}
