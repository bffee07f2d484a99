import type { Dirent } from 'node:fs'
import { join, sep } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { UsageError } from '../../errors.ts'
import { documentOf, earlierOutput, memoryFolder } from './earlier-output.ts'
import type { Exclusions, Names } from './exclusions.ts'
import { type IgnoreRules, isIgnored } from './ignore-rules.ts'
import type { IgnoreRulesBelow } from './ignore-rules-below.ts'
import { type LinkTarget, targetInside } from './resolve-links.ts'

/** Something met in a walk that cannot be a document, and why. */
export interface PassedOver {
  /** Absolute path. */
  readonly file: string
  readonly problem: InputProblem
}

export interface EntryFilterOptions {
  /** The folder that is searched. */
  readonly root: Names
  /** Absolute path of the output folder, which is never an input. */
  readonly out?: string | undefined
  readonly hidden: boolean
  readonly follow: boolean
  readonly exclusions: Exclusions
  /** Undefined where ignore files do not count, and no folder is left out for its name. */
  readonly ignoreRules: IgnoreRules | undefined
  readonly rulesBelow: IgnoreRulesBelow | undefined
  /** Called for unreadable folders, pipes, devices and links, which fast-glob would pass over in silence. */
  readonly onPassedOver: (passedOver: PassedOver) => void
  /** The filter adds the files and folders that the user excludes. */
  readonly excluded: Set<string>
  /** The filter adds what links lead to that are followed. */
  readonly real: Map<string, string>
}

/** Folders that a user does not mean when naming the folder around them; naming them, or `--no-ignore`, includes them. */
const neverMeant = ['node_modules', '.git']

/**
 * Decides what a walk shows of a folder.
 * @returns a function that throws a UsageError for an ignore file that cannot be used
 */
export function createEntryFilter(
  options: EntryFilterOptions,
): (folder: Names, entries: readonly Dirent[]) => Promise<Dirent[]> {
  const { follow, rulesBelow, exclusions, onPassedOver, excluded } = options
  const isLeftOut = leavesOut(options)

  return async (folder, entries) => {
    const names = new Set(entries.map(({ name }) => name))
    const rules = await rulesBelow?.within(folder.real, (name) => names.has(name))
    const isExcluded = exclusions.inFolder(folder)
    const visible: Dirent[] = []
    for (const entry of entries) {
      const { name } = entry
      const [path, isFolder] = [join(folder.path, name), entry.isDirectory()]
      if (isLeftOut(path, name, names) || (rules !== undefined && isIgnored(rules, name, isFolder))) {
        // A pattern that matches it is not one that matches nothing.
        isExcluded(name, isFolder)
        if (isFolder) exclusions.passOver({ path, real: join(folder.real, name) })
        continue
      }
      const link = follow && entry.isSymbolicLink() ? await followed(path, options) : undefined
      const target = link !== undefined && 'real' in link ? link : undefined
      const excludes =
        isExcluded(name, target?.isFolder ?? isFolder) ||
        (target !== undefined && exclusions.covers({ path, real: target.real }, target.isFolder))
      if (excludes) excluded.add(path)
      const problem = problemOf(entry, link, follow)
      if (problem === undefined) visible.push(entry)
      else onPassedOver({ file: path, problem: excludes ? excludedEntry : problem })
    }
    return visible
  }
}

/** Whether an entry is left out without being counted, by its name and those next to it. */
function leavesOut({ root, out, hidden, ignoreRules }: EntryFilterOptions) {
  const pruned = ignoreRules ? neverMeant.filter((name) => !root.path.split(sep).includes(name)) : []
  return (path: string, name: string, names: ReadonlySet<string>): boolean => {
    if (path === out || name === memoryFolder || pruned.includes(name)) return true
    if (!hidden && name.startsWith('.')) return true
    // Next to its document it surely is the output of an earlier run; elsewhere it is reported.
    const about = documentOf(name)
    return about !== undefined && names.has(about)
  }
}

/** What a link leads to that is followed, or why it is not. */
async function followed(
  link: string,
  { root, rulesBelow, real }: EntryFilterOptions,
): Promise<LinkTarget | InputProblem> {
  const target = await targetInside(link, root.real)
  if ('as' in target) return target
  try {
    if (await rulesBelow?.ignores(target.real, target.isFolder)) return leadsToIgnored
  } catch (error) {
    return unusableRules(error)
  }
  real.set(link, target.real)
  return target
}

function problemOf(
  entry: Dirent,
  link: LinkTarget | InputProblem | undefined,
  follow: boolean,
): InputProblem | undefined {
  if (documentOf(entry.name) !== undefined) return earlierOutput
  if (link !== undefined && 'as' in link) return link
  if (entry.isFile() || entry.isDirectory() || (entry.isSymbolicLink() && follow)) return undefined
  if (entry.isSymbolicLink())
    return { as: 'skip', type: 'link', message: 'a symbolic link (--follow follows it)' }
  return { as: 'skip', type: 'not_a_file', message: 'not a regular file' }
}

/** What an ignore file that cannot be used keeps back is not known, and must not be sent. @throws any other error */
export function unusableRules(error: unknown): InputProblem {
  if (!(error instanceof UsageError)) throw error
  return { as: 'fail', type: 'unusable_rules', message: error.message }
}

const leadsToIgnored: InputProblem = {
  as: 'skip',
  type: 'link',
  message: 'the link leads to something that is ignored',
}

/** A file, or something else, that the user excludes. */
export const excludedEntry: InputProblem = {
  as: 'skip',
  type: 'excluded',
  message: 'excluded by a pattern',
}
