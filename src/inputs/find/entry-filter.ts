import type { Dirent } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { stateFolder } from '../../core/document/output-path.ts'
import { UsageError } from '../../errors.ts'
import { earlierOutputProblem, findDocumentName } from './earlier-output.ts'
import type { Exclusions, ResolvedPath } from './exclusions.ts'
import { type IgnoreRules, isIgnored } from './ignore-rules.ts'
import { type LinkTarget, resolveLinkInside } from './link-target.ts'
import type { IgnoreRulesBelow } from './nested-ignore-rules.ts'

/** An entry of a searched folder that cannot be a document, and the reason. */
export interface SkippedEntry {
  /** Absolute path. */
  readonly file: string
  readonly problem: InputProblem
}

export interface EntryFilterOptions {
  /** The searched folder. */
  readonly root: ResolvedPath
  /** Absolute path of the output folder, which is never an input. */
  readonly out?: string | undefined
  readonly hidden: boolean
  readonly follow: boolean
  readonly exclusions: Exclusions
  /** Undefined with `--no-ignore`: then neither ignore files nor the default ignored folders apply. */
  readonly ignoreRules: IgnoreRules | undefined
  readonly rulesBelow: IgnoreRulesBelow | undefined
  /** Called for unreadable folders, pipes, devices and links, which the search skips. */
  readonly onSkipped: (entry: SkippedEntry) => void
  /** The filter adds the files and folders that the user excludes. */
  readonly excluded: Set<string>
  /** The filter adds the targets of the links that it follows. */
  readonly realPaths: Map<string, string>
  /** The filter adds the links that lead to folders. */
  readonly linkedFolders: Set<string>
}

/** Folders that are skipped by default. Naming one as an input, or `--no-ignore`, includes it. */
const defaultIgnoredFolders = ['node_modules', '.git']

/**
 * Returns a filter that keeps those entries of a folder that the search may see.
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
    const isHidden = isHiddenEntry(folder.path, names)
    const visible: Dirent[] = []
    for (const entry of entries) {
      const { name } = entry
      const isFolder = entry.isDirectory()
      const documentName = findDocumentName(name)
      if (isHidden(name, documentName) || (rules !== undefined && isIgnored(rules, name, isFolder))) {
        // Called only so that a pattern that matches the entry is not reported as unmatched.
        isExcluded(name, isFolder)
        if (isFolder)
          exclusions.markUnsearched({
            path: join(folder.path, name),
            realPath: join(folder.realPath, name),
          })
        continue
      }
      const link =
        follow && entry.isSymbolicLink()
          ? await resolveFollowedLink(join(folder.path, name), options)
          : undefined
      const target = link !== undefined && 'real' in link ? link : undefined
      const isExcludedByUser =
        isExcluded(name, target?.isFolder ?? isFolder) ||
        (target !== undefined &&
          exclusions.isExcluded({ path: join(folder.path, name), realPath: target.real }, target.isFolder))
      if (isExcludedByUser) excluded.add(join(folder.path, name))
      const problem =
        documentName === undefined ? findEntryProblem(entry, link, follow) : earlierOutputProblem
      if (problem === undefined) visible.push(entry)
      else
        onSkipped({
          file: join(folder.path, name),
          problem: isExcludedByUser ? excludedEntryProblem : problem,
        })
    }
    return visible
  }
}

/**
 * Returns a predicate for the entries of a folder: whether an entry is left out without being counted, by its name and
 * the names next to it.
 */
function createNameFilter({ root, out, hidden, ignoreRules }: EntryFilterOptions) {
  const ignoredFolders = ignoreRules
    ? defaultIgnoredFolders.filter((name) => !root.path.split(sep).includes(name))
    : []
  return (folder: string, names: ReadonlySet<string>) => {
    const outName = out !== undefined && dirname(out) === folder ? basename(out) : undefined
    return (name: string, documentName: string | undefined): boolean => {
      if (name === outName || name === stateFolder || ignoredFolders.includes(name)) return true
      if (!hidden && name.startsWith('.')) return true
      // Next to its document, the file is certainly an earlier output; elsewhere it is reported.
      return documentName !== undefined && names.has(documentName)
    }
  }
}

/** Returns the target of a link, or the reason why the link is not followed. */
async function resolveFollowedLink(
  link: string,
  { root, rulesBelow, realPaths, linkedFolders }: EntryFilterOptions,
): Promise<LinkTarget | InputProblem> {
  const target = await resolveLinkInside(link, root.realPath)
  if ('action' in target) return target
  try {
    if (await rulesBelow?.isIgnored(target.real, target.isFolder)) return ignoredTargetProblem
  } catch (error) {
    return toRulesProblem(error)
  }
  realPaths.set(link, target.real)
  if (target.isFolder) linkedFolders.add(link)
  return target
}

function findEntryProblem(
  entry: Dirent,
  link: LinkTarget | InputProblem | undefined,
  follow: boolean,
): InputProblem | undefined {
  if (link !== undefined && 'action' in link) return link
  if (entry.isFile() || entry.isDirectory() || (entry.isSymbolicLink() && follow)) return undefined
  if (entry.isSymbolicLink())
    return { action: 'skip', type: 'link', message: 'a symbolic link (--follow follows it)' }
  return { action: 'skip', type: 'not_a_file', message: 'not a regular file' }
}

/**
 * Converts the error of an unusable ignore file to a problem. The files that it might ignore are unknown and
 * must not be sent.
 * @throws any other error
 */
export function toRulesProblem(error: unknown): InputProblem {
  if (!(error instanceof UsageError)) throw error
  return { action: 'fail', type: 'unusable_rules', message: error.message }
}

const ignoredTargetProblem: InputProblem = {
  action: 'skip',
  type: 'link',
  message: 'the link leads to something that is ignored',
}

/** The problem of an entry that the user excludes. */
export const excludedEntryProblem: InputProblem = {
  action: 'skip',
  type: 'excluded',
  message: 'excluded by a pattern',
}
