import { dirname, join, relative } from 'node:path'
import { type Counted, countDocument } from '../core/document/count-with-example.ts'
import type { InputProblem, Source } from '../core/document/document.ts'
import { frontMatter } from '../core/document/front-matter.ts'
import { type OutputPath, outputPaths } from '../core/document/output-path.ts'
import { type Place, standing, tooLong, unwritable } from '../core/document/overwrite-policy.ts'
import type { Doubt } from '../core/document/quality-checks.ts'
import { recordOf } from '../core/errors/error-record.ts'
import type { Clock } from '../core/rate-limit/clock.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import { lineOf } from '../core/run/ledger-entry.ts'
import type { Asked, Failed, Outcome } from '../core/run/outcome.ts'
import type { RunFacts } from '../core/run/provenance.ts'
import type { Sink } from '../core/run/sink.ts'
import { escapeLoneSurrogates } from '../core/text/minify-json.ts'
import { findLink, lookAt } from './fs/check-links.ts'
import { sha256Of } from './fs/file-hash.ts'
import { statFile } from './fs/output-files.ts'
import { isPathAllowed } from './fs/path-length.ts'
import { type Made, summaryOf } from './ledger/ledger.ts'
import type { Memory } from './output-state.ts'

/** Why a document that had a summary is summarized again. */
export type Again =
  | 'document changed'
  | 'prompt changed'
  | 'model changed'
  | 'settings changed'
  | 'summary gone'
  | 'doubtful'
  | 'forced'

export interface Files extends Sink {
  /** As far as sizes and times tell, the summary of this source stands. Costs two `stat`s, and nothing else. */
  stands(source: Source): boolean
  /** What speaks against asking this, or writing its answer; undefined where nothing does. Compares contents. */
  objection(source: Source, asked: Pick<Asked, 'key' | 'settings'>): Promise<InputProblem | undefined>
  /**
   * Keeps an outcome against any crash, which `write` then puts in place. Never rejects: if it could not be kept
   * (false), `write` tells.
   */
  keep(outcome: Outcome): Promise<boolean>
  /** Where the summary of a document is, or will be, below the output folder. */
  summaryOf(path: string): string
  /** Documents that were summarized again so far, by the reason. */
  readonly again: ReadonlyMap<Again, Counted>
}

export interface FilesOptions {
  readonly memory: Pick<Memory, 'made' | 'failing' | 'damaged' | 'keep' | 'confirm' | 'close'>
  /** What is the same for all documents that are asked about alike, by their paths. */
  readonly factsFor: (path: string) => RunFacts
  /** See `outputPaths`. */
  readonly foldsCase: boolean
  /** Asks and replaces, whatever is there. */
  readonly force: boolean
  /** Says on top of each summary where it comes from. */
  readonly frontMatter: boolean
  /** Summaries that are to be made again, for one of these reasons to doubt them. */
  readonly redo: readonly Doubt[]
  /** Summaries are JSON objects. */
  readonly structured: boolean
  readonly clock: Pick<Clock, 'wall'>
}

/**
 * A tree of summaries that mirrors the tree of documents. A failure has a record file of its own beside the
 * summary's place and never touches an earlier good summary; a success removes the record.
 * @param sources all of the run, so that no two get one name
 */
export function filesSink(out: string, sources: readonly Source[], options: FilesOptions): Files {
  const {
    memory,
    factsFor,
    foldsCase,
    force,
    frontMatter: withFrontMatter,
    structured,
    redo,
    clock,
  } = options
  const { made, failing, damaged } = memory
  const again = new Map<Again, Counted>()
  /** Of those that were asked about again, and are not written yet. */
  const reasons = new Map<string, Again>()
  let names: ReturnType<typeof outputPaths> | undefined
  // Only when the first is needed: a run with nothing to do should not work them all out.
  const name = (path: string, settings?: AnswerSettings) => {
    names ??= outputPaths(pathsOf(sources), { foldsCase, earlier: summariesIn(made) })
    return names(path, isJson(settings))
  }
  const isJson = (settings?: AnswerSettings) =>
    settings === undefined ? structured : settings.schema !== undefined

  const isDoubtful = ({ doubts = [] }: Made) => redo.some((doubt) => doubts.includes(doubt))
  const placeOf = async (path: string, file: string, known: Made | undefined): Promise<Place> => {
    const stats = statFile(out, file)
    if (stats === undefined) return known === undefined ? 'free' : 'gone'
    if (stats.isDirectory()) return 'directory'
    const found = stats.isFile() ? await sha256Of(out, file) : undefined
    // Its time would be quicker to compare, and proves nothing: what is intact may be replaced.
    if (known !== undefined && !known.misnamed) return found === known.written.sha256 ? 'intact' : 'edited'
    // Where its line is damaged, the hash may be cut off.
    const hash = damaged.hashes.get(path)
    return hash !== undefined && found?.startsWith(hash) ? 'intact' : 'foreign'
  }

  /** Keeps an outcome; resolves with what puts it in place. */
  const begin = async (outcome: Outcome): Promise<() => Promise<void>> => {
    const nothing = () => Promise.resolve()
    const { source, asked } = outcome
    const { path } = source
    const line = lineOf(outcome, new Date(clock.wall()).toISOString(), factsFor(path))
    if (line === undefined) return nothing
    if (line.status !== 'unchanged') {
      // The options of the run that sent it count, which may be an earlier one.
      const { settings } = asked ?? {}
      const head = (settings?.frontMatter ?? withFrontMatter) ? frontMatter(line) : ''
      const written = fileOf(outcome, name(path, settings), { out, head, structured: isJson(settings) })
      return memory.keep({ line, ...written })
    }
    const { size, mtime, recipe } = made.get(path) ?? {}
    const known = line.size === size && line.mtime === mtime && line.recipe === recipe
    return known && !failing.has(path) ? nothing : () => memory.confirm(line)
  }
  const kept = new WeakMap<Outcome, Promise<() => Promise<void>>>()

  return {
    again,
    summaryOf: (path) => name(path).summary,
    stands({ path, stats }) {
      const known = made.get(path)
      if (force || known === undefined || stats === undefined || failing.has(path)) return false
      if (isDoubtful(known)) return false
      const { size, mtime, recipe, written } = known
      if (stats.size !== size || stats.mtimeMs !== mtime || recipe !== factsFor(path).recipe) return false
      try {
        const present = lookAt(join(out, summaryOf(path, known)))
        return present?.size === written.size && present.mtimeMs === written.mtime && present.isFile()
      } catch {
        return false
      }
    },
    async objection({ path }, { key, settings }) {
      const { summary } = name(path, settings)
      if (!isPathAllowed(out, summary)) return tooLong
      const file = join(out, summary)
      const link = findLink(out, dirname(file))
      if (link !== undefined) return outside(relative(out, link))
      const known = made.get(path)
      const doubtful = known !== undefined && isDoubtful(known)
      const same = known?.key === key && !doubtful
      const isForced = force || isOlder(file, settings?.replacesBefore)
      const problem = standing(same, await placeOf(path, file, known), isForced)
      if (problem === undefined && known !== undefined) {
        const reason = isForced
          ? 'forced'
          : doubtful
            ? 'doubtful'
            : same
              ? 'summary gone'
              : changeSince(known, factsFor(path))
        reasons.set(path, reason)
      }
      return problem
    },
    async keep(outcome) {
      const placing = begin(outcome)
      kept.set(outcome, placing)
      return placing.then(
        () => true,
        () => false,
      )
    },
    async write(outcome) {
      const place = await (kept.get(outcome) ?? begin(outcome))
      await place()
      const { path } = outcome.source
      const reason = reasons.get(path)
      if (reason !== undefined && outcome.status === 'summarized') countDocument(again, reason, path)
      reasons.delete(path)
    },
    close: () => memory.close(),
  }
}

/** Whether a file was last written before a time: milliseconds since 1970. */
function isOlder(file: string, time: number | undefined): boolean {
  if (time === undefined) return false
  const stats = lookAt(file)
  return stats !== undefined && stats.mtimeMs < time
}

/** What is written for an outcome, if anything is. @param head of a summary */
function fileOf(
  outcome: Outcome,
  { summary, record }: OutputPath,
  { out, head, structured }: { readonly out: string; readonly head: string; readonly structured: boolean },
) {
  if (outcome.status === 'summarized') {
    const text = outcome.text.trimEnd()
    return { file: summary, text: `${head}${structured ? escapeLoneSurrogates(text) : text}\n` }
  }
  if (outcome.status !== 'failed' || !canHoldRecord(out, record, outcome)) return {}
  return { file: record, text: recordOf(outcome) }
}

/**
 * Whether a document can have an error record. Where it cannot be read, nothing has looked at its place in the output
 * folder yet; then the ledger alone has the failure, which must not end the run for all other documents.
 */
function canHoldRecord(out: string, record: string, { failure, partial }: Failed): boolean {
  if (unwritable.has(failure.type) || !isPathAllowed(out, record)) return false
  return partial !== undefined || findLink(out, dirname(join(out, record))) === undefined
}

function outside(link: string): InputProblem {
  const message = `the folder of its summary is behind a symbolic link, ${link}; remove the link, or use another --out`
  return { as: 'fail', type: 'outside', message }
}

function changeSince({ recipe, run }: Made, now: RunFacts): Again {
  if (recipe === now.recipe) return 'document changed'
  if (run === undefined || run.prompt !== now.prompt) return 'prompt changed'
  return run.model === now.model ? 'settings changed' : 'model changed'
}

function* pathsOf(sources: readonly Source[]): Generator<string> {
  for (const { path } of sources) yield path
}

/** But for those that no run can have written under the name that the ledger has. */
function* summariesIn(made: ReadonlyMap<string, Made>): Generator<[string, string]> {
  for (const [path, known] of made) if (!known.misnamed) yield [path, summaryOf(path, known)]
}
