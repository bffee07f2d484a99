import { statSync } from 'node:fs'
import { isAbsolute, sep } from 'node:path'
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { DocumentRef, FileStats } from '../../core/document/document.ts'
import { countDocument, type DocumentCount } from '../../core/document/document-count.ts'
import { toDocumentPath } from '../../core/document/document-path.ts'
import type { ExtensionCounts } from '../../core/document/extension-counts.ts'
import { findHomeFolder } from '../../core/document/home-folder.ts'
import { type Candidate, createNamedCandidate } from './candidate.ts'
import { countUnread } from './count-unread.ts'
import { deduplicate, markDuplicates } from './duplicates.ts'
import { earlierOutputProblem, isEarlierOutput } from './earlier-output.ts'
import type { Exclusions, ExclusionsOptions, ResolvedPath } from './exclusions.ts'
import type { PatternPart } from './glob-pattern.ts'
import { createIgnoreRules } from './ignore-rules.ts'
import { type Input, type InspectedInput, inspectInput, notFoundProblem } from './inspect-input.ts'
import { createRealPathFinder, findSpelling } from './named-path.ts'
import type { ExcludePattern } from './pattern-readings.ts'
import { type SearchOptions, type SearchResult, searchFolder } from './search-folder.ts'

export interface FindOptions {
  readonly cwd: string
  /** The environment of the process, which locates git's configuration. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path of the output folder, which is never an input; undefined when results go to stdout. */
  readonly out?: string | undefined
  /** Absolute paths of files that the run itself writes. If the search finds one, it is not an input. */
  readonly writtenFiles?: readonly string[]
  /** Extensions in lower case, without a dot. */
  readonly extensions: readonly string[]
  /** Patterns that apply to every input, including files that the user named. */
  readonly exclude: readonly ExcludePattern[]
  readonly hidden: boolean
  readonly follow: boolean
  readonly ignoreFiles: boolean
}

export interface FoundDocuments {
  /** Sorted by path, each path once. */
  readonly sources: readonly DocumentRef[]
  /** Documents that were found and left out: excluded, or named twice. */
  readonly skipped: ReadonlyMap<string, DocumentCount>
  /** Files of the searched folders that are not read because of their extension. */
  readonly notRead: ExtensionCounts
  /** Inputs that do not exist. A missing path in a list is a failed document instead. */
  readonly missingInputs: readonly string[]
  /** Patterns without a match. */
  readonly unmatchedPatterns: readonly string[]
  /** Inputs, as the user typed them, that are output files of an earlier run. */
  readonly earlierOutputs: readonly string[]
  /** Whether at least one input exists that is not such an output file. It may be an empty directory. */
  readonly foundAnything: boolean
  /** Warnings for the user, one line each. */
  readonly warnings: readonly string[]
}

/** The state that all inputs share: the search for each input reads it and adds to it. */
interface SearchContext extends FindOptions, SearchOptions {
  readonly skipped: Map<string, DocumentCount>
  /** Paths of files in the searched folders that have other extensions than those that are searched for. */
  readonly unread: string[]
  /**
   * Excluded files that would have been found, and excluded folders that would have been searched, by path.
   */
  readonly excluded: Map<string, 'excluded' | 'excluded_folder'>
  /** Paths without symbolic links, for candidates with a link in their path. */
  readonly realPaths: Map<Candidate, string>
  readonly findRealPath: (path: string, isLink?: boolean) => string
}

/**
 * Expands inputs into documents: takes files, searches directories, matches patterns. An existing path always
 * takes precedence over a pattern, so `notes[1].md` is found.
 * @throws UsageError for a pattern that could take exponential time, or an ignore file that cannot be used
 */
export async function findDocuments(inputs: readonly Input[], options: FindOptions): Promise<FoundDocuments> {
  const warnings: string[] = []
  const inspected: InspectedInput[] = []
  for (const [n, input] of inputs.entries()) {
    if (shouldYield(n)) await yieldToEventLoop()
    inspected.push(await inspectInput(input, options.cwd))
  }
  const context = await createSearchContext(inspected, options, (text) => warnings.push(text))
  const { skipped, exclusions } = context
  const missingInputs: string[] = []
  const unmatchedPatterns: string[] = []
  const earlierOutputs: string[] = []
  const found: Candidate[] = []
  let foundAnything = false
  for (const [n, input] of inspected.entries()) {
    if (shouldYield(n)) await yieldToEventLoop()
    const candidates = await expandInput(input, context)
    if (candidates === 'missing') missingInputs.push(input.text)
    else if (candidates === 'unmatched') unmatchedPatterns.push(input.text)
    else {
      if (candidates.some(({ namedByUser, problem }) => namedByUser && problem === earlierOutputProblem))
        earlierOutputs.push(input.text)
      else foundAnything ||= !candidates.some(({ problem }) => problem === notFoundProblem)
      for (const candidate of candidates) found.push(candidate)
    }
  }
  const unique = inputs.length > 1 ? deduplicate(found, skipped) : found
  for (const [path, kind] of context.excluded) countDocument(skipped, kind, path)
  const notRead = countUnread(context.unread, {
    found: unique,
    written: (options.writtenFiles ?? []).map((file) => toDocumentPath(file, options.cwd)),
    hasSeveralInputs: inputs.length > 1,
  })
  const sources = await toSources(unique, context)
  for (const pattern of await exclusions.listUnmatchedPatterns())
    warnings.push(`the exclude pattern ${JSON.stringify(pattern)} matches nothing; check its spelling`)
  return {
    sources,
    skipped,
    notRead,
    missingInputs,
    unmatchedPatterns,
    earlierOutputs,
    foundAnything,
    warnings,
  }
}

async function createSearchContext(
  inputs: readonly InspectedInput[],
  options: FindOptions,
  onWarning: (text: string) => void,
): Promise<SearchContext> {
  const { cwd, env, ignoreFiles, out } = options
  const findRealPath = createRealPathFinder()
  const searched = inputs.flatMap(({ file, target: path }) =>
    path.kind === 'folder' ? [file] : path.kind === 'pattern' ? path.parts.map(({ root }) => root) : [],
  )
  return {
    ...options,
    out: out && findSpelling(out, cwd),
    exclusions: await compileExclusions(options.exclude, {
      home: findHomeFolder(env),
      searched: searched.map((folder) => ({ path: folder, realPath: findRealPath(folder, true) })),
    }),
    ignoreRules: ignoreFiles ? createIgnoreRules({ cwd, env, onWarning }) : undefined,
    skipped: new Map(),
    unread: [],
    excluded: new Map(),
    realPaths: new Map(),
    findRealPath,
  }
}

/** Returns what `--exclude` leaves out. The matchers of patterns are loaded only if there is a pattern. */
async function compileExclusions(
  patterns: readonly ExcludePattern[],
  options: ExclusionsOptions,
): Promise<Exclusions> {
  if (patterns.length > 0) return (await import('./exclusions.ts')).createExclusions(patterns, options)
  return {
    isExcluded: () => false,
    createFolderFilter: () => () => false,
    markUnsearched() {},
    listUnmatchedPatterns: async () => [],
  }
}

async function expandInput(
  { file, target: path }: InspectedInput,
  context: SearchContext,
): Promise<readonly Candidate[] | 'missing' | 'unmatched'> {
  const { cwd, out, exclusions, findRealPath, realPaths, excluded } = context
  if (path.kind === 'nothing') return 'missing'
  if (path.kind === 'stdin') return [{ index: 0, path: '-', namedByUser: true }]
  if (path.kind === 'pattern') return expandPattern(path.parts, context)
  if (path.kind === 'folder') return expandFolder(file, context)
  const real = findRealPath(file, path.kind === 'file' && path.isLink)
  if (exclusions.isExcluded({ path: file, realPath: real }, false)) {
    excluded.set(toDocumentPath(file, cwd), 'excluded')
    return []
  }
  if (path.kind === 'unusable') return [createNamedCandidate(file, cwd, path.problem)]
  const problem = (await isEarlierOutput(file, out)) ? earlierOutputProblem : undefined
  const candidate = createNamedCandidate(file, cwd, problem)
  candidate.stats = path.stats
  if (real !== file) realPaths.set(candidate, real)
  return [candidate]
}

/** Returns the candidates in a folder that the user named. */
async function expandFolder(folder: string, context: SearchContext): Promise<readonly Candidate[]> {
  const extensions = new Set(context.extensions)
  const isWanted = (path: string) => extensions.has(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
  return recordSearchResult(
    await searchFolder(undefined, resolveFolder(folder, context), context, isWanted),
    context,
  )
}

async function expandPattern(
  parts: readonly PatternPart[],
  context: SearchContext,
): Promise<readonly Candidate[] | 'unmatched'> {
  const found: Candidate[] = []
  let hasMatch = false
  for (const { root, pattern } of parts) {
    const searched = await searchFolder(pattern, resolveFolder(root, context), context, () => true)
    const { files, folders } = searched.excluded
    hasMatch ||= searched.candidates.length + files.length + folders.length > 0
    for (const candidate of recordSearchResult(searched, context)) found.push(candidate)
  }
  // Several parts of one pattern may find the same file.
  return hasMatch ? deduplicate(found) : 'unmatched'
}

function resolveFolder(folder: string, { findRealPath }: SearchContext): ResolvedPath {
  return { path: folder, realPath: findRealPath(folder, true) }
}

/** Adds a search result to the context and returns its candidates. */
function recordSearchResult(
  { candidates, realPaths, unread, excluded }: SearchResult,
  context: SearchContext,
): readonly Candidate[] {
  for (const path of unread) context.unread.push(path)
  for (const path of excluded.files) context.excluded.set(path, 'excluded')
  for (const path of excluded.folders) context.excluded.set(path, 'excluded_folder')
  for (const [candidate, real] of realPaths) context.realPaths.set(candidate, real)
  return candidates
}

/**
 * Reads size and time of each file once, marks duplicates and sorts the documents. Synchronous `stat` takes a
 * tenth of the time of the asynchronous one here; see `bench/rerun.js`.
 */
async function toSources(candidates: readonly Candidate[], context: SearchContext): Promise<DocumentRef[]> {
  const { cwd, writtenFiles = [], realPaths } = context
  const writtenPaths = new Set(writtenFiles.map((file) => toDocumentPath(file, cwd)))
  let n = 0
  for (const candidate of candidates) {
    if (shouldYield(n++)) await yieldToEventLoop()
    const { path } = candidate
    if (!candidate.namedByUser && writtenPaths.has(path)) candidate.problem = earlierOutputProblem
    if (candidate.stats === undefined && candidate.problem === undefined && path !== '-')
      candidate.stats = statIfReadable(isAbsolute(path) ? path : cwd + sep + path)
  }
  markDuplicates(candidates, realPaths, cwd)
  const sources = [...candidates].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  let index = 0
  for (const source of sources) source.index = index++
  return sources
}

/** Returns size and time of a file; undefined on an error, which reading the file will report. */
function statIfReadable(file: string): FileStats | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    return stats && { size: stats.size, mtimeMs: stats.mtimeMs }
  } catch {
    return undefined
  }
}

/** Whether to yield to the event loop. Otherwise a signal would wait for a hundred thousand documents. */
function shouldYield(n: number): boolean {
  return n % 256 === 255
}
