import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type Counted, countDocument } from '../../core/document/count-with-example.ts'
import type { FileStats, Source } from '../../core/document/document.ts'
import { sourcePath } from '../../core/document/document-path.ts'
import { type Candidate, namedCandidate } from './candidate.ts'
import { markDuplicates, withoutRepetition } from './duplicates.ts'
import { earlierOutput, isEarlierOutput } from './earlier-output.ts'
import type { ExcludePattern } from './exclude-readings.ts'
import { createExclusions, type Names } from './exclusions.ts'
import { createIgnoreRules } from './ignore-rules.ts'
import { type Input, type LookedInput, lookAtInput, notFound } from './inspect-input.ts'
import { createRealPaths } from './named-path.ts'
import type { PatternPart } from './pattern.ts'
import { type Searched, type SearchOptions, search } from './search.ts'

export interface FindOptions {
  readonly cwd: string
  /** The environment of the process, by which git's configuration is found. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path of the output folder, which is never an input; undefined when results go to stdout. */
  readonly out?: string | undefined
  /** Absolute paths of files that the run itself writes: met, they are no inputs. */
  readonly ours?: readonly string[]
  /** Without dot, lower case. */
  readonly extensions: readonly string[]
  /** They hold for every input, however it was named. */
  readonly exclude: readonly ExcludePattern[]
  readonly hidden: boolean
  readonly follow: boolean
  readonly ignoreFiles: boolean
}

export interface Found {
  /** Sorted by path, each path once. */
  readonly sources: readonly Source[]
  /** Documents that were found and left out: excluded, or named twice. */
  readonly skipped: ReadonlyMap<string, Counted>
  /** Inputs that do not exist; lines of a list are failures of their own instead. */
  readonly missing: readonly string[]
  /** Patterns without a match. */
  readonly unmatched: readonly string[]
  /** Files that were named, and are what an earlier run wrote. */
  readonly earlier: readonly string[]
  /** At least one input names something else that there is, if only an empty directory. */
  readonly anything: boolean
  /** What the user should know of, a line each. */
  readonly warnings: readonly string[]
}

/** What the search for one input needs and adds to. */
interface Search extends FindOptions, SearchOptions {
  readonly skipped: Map<string, Counted>
  /** By their paths: files that would have been found, and folders that would have been searched. */
  readonly excluded: Map<string, 'excluded' | 'excluded_folder'>
  /** Paths without symbolic links, where one is on the way. */
  readonly realPaths: Map<Candidate, string>
  readonly realPathOf: (path: string, isLink?: boolean) => string
}

/**
 * Turns what the user named into sources: files as they are, directories searched, patterns matched. An existing path
 * always wins over a pattern, so `notes[1].md` is found.
 * @throws UsageError for a pattern that could take for ever, or an ignore file that cannot be used
 */
export async function find(inputs: readonly Input[], options: FindOptions): Promise<Found> {
  const warnings: string[] = []
  const looked: LookedInput[] = []
  for (const [n, input] of inputs.entries()) {
    if (isTurn(n)) await turn()
    looked.push(lookAtInput(input, options.cwd))
  }
  const given = await searchFor(looked, options, (text) => warnings.push(text))
  const { skipped, exclusions } = given
  const missing: string[] = []
  const unmatched: string[] = []
  const earlier: string[] = []
  const found: Candidate[] = []
  let anything = false
  for (const [n, input] of looked.entries()) {
    if (isTurn(n)) await turn()
    const candidates = await expand(input, given)
    if (candidates === 'missing') missing.push(input.text)
    else if (candidates === 'unmatched') unmatched.push(input.text)
    else {
      if (candidates.some(({ named, problem }) => named && problem === earlierOutput))
        earlier.push(input.text)
      else anything ||= !candidates.some(({ problem }) => problem === notFound)
      for (const candidate of candidates) found.push(candidate)
    }
  }
  const once = inputs.length > 1 ? withoutRepetition(found, skipped) : found
  for (const [path, kind] of given.excluded) countDocument(skipped, kind, path)
  const sources = await finished(once, given)
  for (const pattern of await exclusions.unmatched())
    warnings.push(`the exclude pattern ${JSON.stringify(pattern)} matches nothing; check how it is written`)
  return { sources, skipped, missing, unmatched, earlier, anything, warnings }
}

async function searchFor(
  inputs: readonly LookedInput[],
  options: FindOptions,
  onWarning: (text: string) => void,
): Promise<Search> {
  const { cwd, env, ignoreFiles } = options
  const realPathOf = createRealPaths()
  const searched = inputs.flatMap(({ file, path }) =>
    path.is === 'folder' ? [file] : path.is === 'pattern' ? path.parts.map(({ root }) => root) : [],
  )
  return {
    ...options,
    exclusions: await createExclusions(options.exclude, {
      home: env['HOME'] || env['USERPROFILE'] || undefined,
      searched: searched.map((folder) => ({ path: folder, real: realPathOf(folder, true) })),
    }),
    ignoreRules: ignoreFiles ? createIgnoreRules({ cwd, env, onWarning }) : undefined,
    skipped: new Map(),
    excluded: new Map(),
    realPaths: new Map(),
    realPathOf,
  }
}

async function expand(
  { file, path }: LookedInput,
  given: Search,
): Promise<readonly Candidate[] | 'missing' | 'unmatched'> {
  const { cwd, out, exclusions, realPathOf, realPaths, excluded } = given
  if (path.is === 'nothing') return 'missing'
  if (path.is === 'stdin') return [{ index: 0, path: '-', named: true }]
  if (path.is === 'pattern') return matching(path.parts, given)
  if (path.is === 'folder') return below(file, given)
  const real = realPathOf(file, path.is === 'file' && path.isLink)
  if (exclusions.covers({ path: file, real }, false)) {
    excluded.set(sourcePath(file, cwd), 'excluded')
    return []
  }
  if (path.is === 'unusable') return [namedCandidate(file, cwd, path.problem)]
  const problem = (await isEarlierOutput(file, out)) ? earlierOutput : undefined
  const candidate = namedCandidate(file, cwd, problem)
  candidate.stats = path.stats
  if (real !== file) realPaths.set(candidate, real)
  return [candidate]
}

/** What is in a folder that the user named. */
async function below(folder: string, given: Search): Promise<readonly Candidate[]> {
  const extensions = new Set(given.extensions)
  const isWanted = (path: string) => extensions.has(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
  return taken(await search('**/*', namesOf(folder, given), given, isWanted), given)
}

async function matching(
  parts: readonly PatternPart[],
  given: Search,
): Promise<readonly Candidate[] | 'unmatched'> {
  const found: Candidate[] = []
  let isMatched = false
  for (const { root, pattern } of parts) {
    const searched = await search(pattern, namesOf(root, given), given, () => true)
    const { files, folders } = searched.excluded
    isMatched ||= searched.candidates.length + files.length + folders.length > 0
    for (const candidate of taken(searched, given)) found.push(candidate)
  }
  // The parts of one pattern may meet.
  return isMatched ? withoutRepetition(found) : 'unmatched'
}

function namesOf(folder: string, { realPathOf }: Search): Names {
  return { path: folder, real: realPathOf(folder, true) }
}

/** What was found, once what is known of it is noted. */
function taken({ candidates, realPaths, excluded }: Searched, given: Search): readonly Candidate[] {
  for (const path of excluded.files) given.excluded.set(path, 'excluded')
  for (const path of excluded.folders) given.excluded.set(path, 'excluded_folder')
  for (const [candidate, real] of realPaths) given.realPaths.set(candidate, real)
  return candidates
}

/**
 * Looks at each file once, marks those that lead to the same one, and puts all in order. `stat` without waiting takes a
 * tenth of the time here that it takes with; see `bench/rerun.js`.
 */
async function finished(candidates: readonly Candidate[], given: Search): Promise<Source[]> {
  const { cwd, ours = [], realPaths } = given
  const written = new Set(ours.map((file) => sourcePath(file, cwd)))
  for (const [n, candidate] of candidates.entries()) {
    if (isTurn(n)) await turn()
    if (!candidate.named && written.has(candidate.path)) candidate.problem = earlierOutput
    if (candidate.stats === undefined && candidate.problem === undefined && candidate.path !== '-')
      candidate.stats = statsOf(resolve(cwd, candidate.path))
  }
  markDuplicates(candidates, realPaths, cwd)
  const sources = [...candidates].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  for (const [index, source] of sources.entries()) source.index = index
  return sources
}

/** Undefined where reading the file will show what is wrong. */
function statsOf(file: string): FileStats | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    return stats && { size: stats.size, mtimeMs: stats.mtimeMs }
  } catch {
    return undefined
  }
}

/** Whether others get their turn now: a signal must not wait for a hundred thousand documents. */
function isTurn(n: number): boolean {
  return n % 256 === 255
}
