import type { Dirent } from 'node:fs'
import { join, sep } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { stateFolder } from '../../core/document/output-path.ts'
import { UsageError } from '../../errors.ts'
import { earlierOutputProblem, findDocumentName } from './earlier-output.ts'
import type { Exclusions, ResolvedPath } from './exclusions.ts'
import { type IgnoreRules, isIgnored } from './ignore-rules.ts'
import { type LinkTarget, resolveLinkInside } from './link-target.ts'
import type { IgnoreRulesBelow } from './nested-ignore-rules.ts'

/** Something met in a walk that cannot be a document, and why. */
export interface SkippedEntry {
  /** Absolute path. */
  readonly file: string
  readonly problem: InputProblem
}

export interface EntryFilterOptions {
  /** The folder that is searched. */
  readonly root: ResolvedPath
  /** Absolute path of the output folder, which is never an input. */
  readonly out?: string | undefined
  readonly hidden: boolean
  readonly follow: boolean
  readonly exclusions: Exclusions
  /** Undefined where ignore files do not count, and no folder is left out for its name. */
  readonly ignoreRules: IgnoreRules | undefined
  readonly rulesBelow: IgnoreRulesBelow | undefined
  /** Called for unreadable folders, pipes, devices and links, which fast-glob would pass over in silence. */
  readonly onSkipped: (passedOver: SkippedEntry) => void
  /** The filter adds the files and folders that the user excludes. */
  readonly excluded: Set<string>
  /** The filter adds what links lead to that are followed. */
  readonly realPaths: Map<string, string>
}

/** Folders that a user does not mean when naming the folder around them; naming them, or `--no-ignore`, includes them. */
const defaultIgnoredFolders = ['node_modules', '.git']

/**
 * Decides what a walk shows of a folder.
 * @returns a function that throws a UsageError for an ignore file that cannot be used
 */
export function createEntryFilter(
  options: EntryFilterOptions,
): (folder: ResolvedPath, entries: readonly Dirent[]) => Promise<Dirent[]> {
  const { follow, rulesBelow, exclusions, onSkipped, excluded } = options
  const isHiddenEntry = createNameFilter(options)

  return async (folder, entries) => {
    const names = new Set(entries.map(({ name }) => name))
    const rules = await rulesBelow?.readRules(folder.realPath, (name) => names.has(name))
    const isExcluded = exclusions.createFolderFilter(folder)
    const visible: Dirent[] = []
    for (const entry of entries) {
      const { name } = entry
      const [path, isFolder] = [join(folder.path, name), entry.isDirectory()]
      if (isHiddenEntry(path, name, names) || (rules !== undefined && isIgnored(rules, name, isFolder))) {
        // A pattern that matches it is not one that matches nothing.
        isExcluded(name, isFolder)
        if (isFolder) exclusions.markUnsearched({ path, realPath: join(folder.realPath, name) })
        continue
      }
      const link = follow && entry.isSymbolicLink() ? await resolveFollowedLink(path, options) : undefined
      const target = link !== undefined && 'real' in link ? link : undefined
      const isExcludedByUser =
        isExcluded(name, target?.isFolder ?? isFolder) ||
        (target !== undefined && exclusions.isExcluded({ path, realPath: target.real }, target.isFolder))
      if (isExcludedByUser) excluded.add(path)
      const problem = findEntryProblem(entry, link, follow)
      if (problem === undefined) visible.push(entry)
      else onSkipped({ file: path, problem: isExcludedByUser ? excludedEntryProblem : problem })
    }
    return visible
  }
}

/** Whether an entry is left out without being counted, by its name and those next to it. */
function createNameFilter({ root, out, hidden, ignoreRules }: EntryFilterOptions) {
  const ignoredFolders = ignoreRules
    ? defaultIgnoredFolders.filter((name) => !root.path.split(sep).includes(name))
    : []
  return (path: string, name: string, names: ReadonlySet<string>): boolean => {
    if (path === out || name === stateFolder || ignoredFolders.includes(name)) return true
    if (!hidden && name.startsWith('.')) return true
    // Next to its document it surely is the output of an earlier run; elsewhere it is reported.
    const documentName = findDocumentName(name)
    return documentName !== undefined && names.has(documentName)
  }
}

/** What a link leads to that is followed, or why it is not. */
async function resolveFollowedLink(
  link: string,
  { root, rulesBelow, realPaths }: EntryFilterOptions,
): Promise<LinkTarget | InputProblem> {
  const target = await resolveLinkInside(link, root.realPath)
  if ('action' in target) return target
  try {
    if (await rulesBelow?.isIgnored(target.real, target.isFolder)) return ignoredTargetProblem
  } catch (error) {
    return toRulesProblem(error)
  }
  realPaths.set(link, target.real)
  return target
}

function findEntryProblem(
  entry: Dirent,
  link: LinkTarget | InputProblem | undefined,
  follow: boolean,
): InputProblem | undefined {
  if (findDocumentName(entry.name) !== undefined) return earlierOutputProblem
  if (link !== undefined && 'action' in link) return link
  if (entry.isFile() || entry.isDirectory() || (entry.isSymbolicLink() && follow)) return undefined
  if (entry.isSymbolicLink())
    return { action: 'skip', type: 'link', message: 'a symbolic link (--follow follows it)' }
  return { action: 'skip', type: 'not_a_file', message: 'not a regular file' }
}

/** What an ignore file that cannot be used keeps back is not known, and must not be sent. @throws any other error */
export function toRulesProblem(error: unknown): InputProblem {
  if (!(error instanceof UsageError)) throw error
  return { action: 'fail', type: 'unusable_rules', message: error.message }
}

const ignoredTargetProblem: InputProblem = {
  action: 'skip',
  type: 'link',
  message: 'the link leads to something that is ignored',
}

/** A file, or something else, that the user excludes. */
export const excludedEntryProblem: InputProblem = {
  action: 'skip',
  type: 'excluded',
  message: 'excluded by a pattern',
}
