import { statSync } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import fastGlob from 'fast-glob'
import type { InputProblem, Source } from '../core/document.ts'
import { sourcePath } from '../core/source-path.ts'
import { earlierOutput, isEarlierOutput } from './earlier-output.ts'
import { checkPattern, isPattern, partsOf } from './pattern.ts'
import { reasonOf } from './reason.ts'
import { type PassedOver, walkFileSystem } from './walk.ts'

export interface FindOptions {
  readonly cwd: string
  /** Absolute path of the output folder, which is never an input; undefined when results go to stdout. */
  readonly out?: string
  /** Absolute paths of files that the run itself writes: met, they are no inputs. */
  readonly ours?: readonly string[]
  /** Without dot, lower case. */
  readonly extensions: readonly string[]
  readonly exclude: readonly string[]
  readonly hidden: boolean
  readonly follow: boolean
  readonly ignoreFiles: boolean
}

export interface Found {
  /** Sorted by path, each file once. */
  readonly sources: readonly Source[]
  /** Patterns without a match. */
  readonly unmatched: readonly string[]
  /** Files that were named, and are what an earlier run wrote. */
  readonly earlier: readonly string[]
  /** At least one input names something else that there is, if only an empty directory. */
  readonly anything: boolean
}

/** What the user named. Lines of a list are paths and nothing else; an argument may be `-` or a pattern too. */
export interface Input {
  readonly text: string
  readonly literal: boolean
}

/** A source that is not finished yet: a hundred thousand of them are not copied from step to step. */
type Candidate = { -readonly [Field in keyof Source]: Source[Field] }

/**
 * Turns what the user named into sources: files as they are, directories walked, patterns matched. An existing path
 * always wins over a pattern, so `notes[1].md` is found.
 * @throws UsageError for a pattern that could take for ever
 */
export async function find(inputs: readonly Input[], options: FindOptions): Promise<Found> {
  const found: Candidate[] = []
  const unmatched: string[] = []
  const earlier: string[] = []
  let anything = false
  for (const input of inputs) {
    const candidates = await expand(input, options)
    if (candidates === undefined) unmatched.push(input.text)
    else if (candidates.some(({ named, problem }) => named && problem === earlierOutput))
      earlier.push(input.text)
    else anything ||= !candidates.some(({ problem }) => problem === notFound)
    for (const candidate of candidates ?? []) found.push(candidate)
  }
  const once = inputs.length > 1 ? withoutRepetition(found) : found
  const ours = new Set(options.ours?.map((file) => sourcePath(file, options.cwd)))
  if (ours.size > 0)
    for (const candidate of once)
      if (!candidate.named && ours.has(candidate.path)) candidate.problem = earlierOutput
  const sources = await looked(once, options)
  sources.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  for (const [index, source] of sources.entries()) source.index = index
  return { sources, unmatched, earlier, anything }
}

/** Named wins: the user's own mention of a file makes its being unusable a failure. */
function withoutRepetition(candidates: readonly Candidate[]): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const known = found.get(candidate.path)
    if (known === undefined || (candidate.named && !known.named)) found.set(candidate.path, candidate)
  }
  return [...found.values()]
}

/** Undefined for a pattern without a match. */
async function expand(
  { text: input, literal }: Input,
  options: FindOptions,
): Promise<Candidate[] | undefined> {
  if (input === '-' && !literal) return [{ index: 0, path: '-', named: true }]
  const file = resolve(options.cwd, input)
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => error)
  if (!(stats instanceof Error)) {
    if (stats.isDirectory()) return walk(file, options)
    const ours = (await isEarlierOutput(file, options.out)) ? earlierOutput : undefined
    return [candidate(file, true, options, stats.isFile() ? ours : notAFile)]
  }
  if (stats.code !== 'ENOENT' && stats.code !== 'ENOTDIR' && stats.code !== 'ENAMETOOLONG') {
    return [candidate(file, true, options, { as: 'fail', type: 'unreadable', message: reasonOf(stats) })]
  }
  // A link that leads nowhere is there, though what it names is not.
  if (
    await lstat(file).then(
      () => true,
      () => false,
    )
  ) {
    return [
      candidate(file, true, options, { as: 'fail', type: 'vanished', message: 'the link leads nowhere' }),
    ]
  }
  return !literal && isPattern(input)
    ? match(input, options)
    : [candidate(file, true, options, input.includes('\ufffd') ? badName : notFound)]
}

async function walk(directory: string, options: FindOptions): Promise<Candidate[]> {
  const extensions = new Set(options.extensions)
  const chosen = (path: string) => extensions.has(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '')
  return glob('**/*', directory, options, chosen)
}

async function match(text: string, options: FindOptions): Promise<Candidate[] | undefined> {
  const found: Candidate[] = []
  for (const { root, pattern } of partsOf(text, options.cwd))
    for (const candidate of await glob(pattern, root, options)) found.push(candidate)
  // The parts of one pattern may meet.
  return found.length === 0 ? undefined : withoutRepetition(found)
}

/** One run of fast-glob, over a file system that shows it no more than may be taken. */
async function glob(
  pattern: string,
  cwd: string,
  options: FindOptions,
  chosen: (path: string) => boolean = () => true,
): Promise<Candidate[]> {
  for (const exclude of options.exclude) checkPattern(exclude)
  const passedOver: PassedOver[] = []
  const fs = await walkFileSystem(cwd, { ...options, tell: (it) => passedOver.push(it) })
  const names = fastGlob.stream(pattern, {
    cwd,
    fs,
    // Not absolute: fast-glob would turn a backslash in a name into a slash.
    absolute: false,
    // What is hidden, linked or ignored is decided by the file system above, in one place.
    dot: true,
    followSymbolicLinks: options.follow,
    ignore: [...options.exclude],
    suppressErrors: true,
    // One pattern meets no file twice.
    unique: false,
  })
  const prefix = sourcePath(cwd, options.cwd).replace(/[^/]$/, '$&/')
  const candidates: Candidate[] = []
  for await (const text of names) {
    const name = String(text)
    if (!chosen(name)) continue
    const path = prefix + name
    candidates.push({ index: 0, path, named: false, stats: undefined })
  }
  for (const { file, problem } of passedOver) {
    if (problem.as === 'fail' || chosen(file)) candidates.push(candidate(file, false, options, problem))
  }
  return candidates
}

function candidate(file: string, named: boolean, options: FindOptions, problem?: InputProblem): Candidate {
  const found = { index: 0, path: sourcePath(file, options.cwd) || '.', named }
  return problem === undefined ? found : { ...found, problem }
}

/**
 * Looks at each file once, and leaves out those that are there under another name: the first in order of the names
 * stays. `stat` without waiting takes a tenth of the time here that it takes with; see `bench/rerun.js`.
 */
async function looked(candidates: readonly Candidate[], { cwd, follow }: FindOptions): Promise<Candidate[]> {
  const byIdentity = new Map<string, Candidate>()
  const rest: Candidate[] = []
  // Otherwise only a file with several names of its own can be met twice.
  const throughLinks = follow || candidates.some(({ named }) => named)
  for (const [n, candidate] of candidates.entries()) {
    // A signal, or a slow disk, must not wait for a hundred thousand of them.
    if (n % 256 === 255) await turn()
    const stats =
      candidate.problem || candidate.path === '-' ? undefined : statOf(resolve(cwd, candidate.path))
    if (stats === undefined) {
      rest.push(candidate)
      continue
    }
    candidate.stats = { size: stats.size, mtimeMs: stats.mtimeMs }
    if (stats.nlink === 1 && !throughLinks) {
      rest.push(candidate)
      continue
    }
    const identity = `${stats.dev}:${stats.ino}`
    const known = byIdentity.get(identity)
    if (known === undefined || prefer(candidate, known)) byIdentity.set(identity, candidate)
  }
  for (const candidate of byIdentity.values()) rest.push(candidate)
  return rest
}

function statOf(file: string) {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch {
    // Reading it will tell what is wrong.
    return undefined
  }
}

function prefer(a: Candidate, b: Candidate): boolean {
  return a.named === b.named ? a.path < b.path : a.named
}

const notFound: InputProblem = { as: 'fail', type: 'not_found', message: 'no such file or directory' }
const badName: InputProblem = { as: 'fail', type: 'bad_name', message: 'its name is not UTF-8; rename it' }
const notAFile: InputProblem = { as: 'fail', type: 'not_a_file', message: 'not a regular file' }
