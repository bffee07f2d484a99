import { dirname, join, relative } from 'node:path'
import type { DocumentRef, InputProblem } from '../core/document/document.ts'
import { countDocument, type DocumentCount } from '../core/document/document-count.ts'
import { formatFrontMatter } from '../core/document/front-matter.ts'
import { assignOutputPaths, type OutputPaths } from '../core/document/output-path.ts'
import { checkOverwrite, type OutputFileState, unwritableTypes } from '../core/document/overwrite-policy.ts'
import { type RedoTarget, redoesAll, redoesOnlyTargets, redoesSummary } from '../core/document/redo.ts'
import { formatErrorRecord } from '../core/errors/format-error-record.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import type { Clock } from '../core/run/clock.ts'
import type { Failed, Outcome, RequestMetadata } from '../core/run/outcome.ts'
import type { Provenance } from '../core/run/provenance.ts'
import type { Sink } from '../core/run/sink.ts'
import { toLedgerEntry } from '../core/run/to-ledger-entry.ts'
import { escapeLoneSurrogates } from '../core/text/minify-json.ts'
import { hashFile } from './fs/file-hash.ts'
import { statFile } from './fs/no-follow-fs.ts'
import { isPathAllowed } from './fs/path-length.ts'
import { findSymlink, lstatIfPresent } from './fs/symlinks.ts'
import type { JournalEntry } from './ledger/journal.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import type { OutputState } from './output-state.ts'

/** Why a document that had a summary is summarized again. */
export type RerunReason =
  | 'document changed'
  | 'prompt changed'
  | 'model changed'
  | 'settings changed'
  | 'summary deleted'
  | 'flagged'
  | 'requested'
  | 'forced'

export interface SummaryFiles extends Sink {
  /** As far as sizes and times tell, the summary of this source stands. Costs two `stat`s, and nothing else. */
  isUpToDate(source: DocumentRef): boolean
  /** Whether the run leaves a document out, because it is limited to results that this is not one of. */
  isLeftOut(path: string): boolean
  /** What speaks against asking this, or writing its answer; undefined where nothing does. Compares contents. */
  checkConflict(
    source: DocumentRef,
    asked: Pick<RequestMetadata, 'requestHash' | 'answerSettings'>,
  ): Promise<InputProblem | undefined>
  /**
   * Keeps an outcome against any crash, which `write` then puts in place. Never rejects: if it could not be kept
   * (false), `write` tells.
   */
  persist(outcome: Outcome): Promise<boolean>
  /** Where the summary of a document is, or will be, below the output folder. */
  summaryPath(path: string): string
  /** Documents that were summarized again so far, by the reason. */
  readonly rerunReasons: ReadonlyMap<RerunReason, DocumentCount>
}

export interface SummaryFilesOptions {
  readonly outputState: Pick<
    OutputState,
    'summaries' | 'unfinishedPaths' | 'failedPaths' | 'damaged' | 'persist' | 'confirmUnchanged' | 'close'
  >
  /** What is the same for all documents that are asked about alike, by their paths. */
  readonly findProvenance: (path: string) => Provenance
  /** See `outputPaths`. */
  readonly foldsCase: boolean
  /** Overwrites files that were edited by hand or not written by claude-batch. */
  readonly force: boolean
  /** Says on top of each summary where it comes from. */
  readonly frontMatter: boolean
  /** Existing results to produce again. */
  readonly redo: readonly RedoTarget[]
  /** Summaries are JSON objects. */
  readonly structured: boolean
  readonly clock: Pick<Clock, 'wallTime'>
}

/**
 * A tree of summaries that mirrors the tree of documents. A failure has a record file of its own beside the
 * summary's place and never touches an earlier good summary; a success removes the record.
 * @param sources all of the run, so that no two get one name
 */
export function createSummaryFiles(
  out: string,
  sources: readonly DocumentRef[],
  options: SummaryFilesOptions,
): SummaryFiles {
  const {
    outputState,
    findProvenance,
    foldsCase: caseInsensitive,
    force,
    frontMatter: withFrontMatter,
    structured,
    redo,
    clock,
  } = options
  const { summaries, unfinishedPaths, failedPaths, damaged } = outputState
  const rerunReasons = new Map<RerunReason, DocumentCount>()
  /** Of those that were asked about again, and are not written yet. */
  const pendingReasons = new Map<string, RerunReason>()
  let outputNames: ReturnType<typeof assignOutputPaths> | undefined
  // Only when the first is needed: a run with nothing to do should not work them all out.
  const findNames = (path: string, settings?: AnswerSettings) => {
    outputNames ??= assignOutputPaths(listPaths(sources), {
      caseInsensitive,
      existingSummaries: listSummaries(summaries),
    })
    return outputNames(path, isJson(settings))
  }
  const isJson = (settings?: AnswerSettings) =>
    settings === undefined ? structured : settings.schema !== undefined

  const shouldRedo = ({ qualityIssues = [] }: KnownSummary) => redoesSummary(redo, qualityIssues)
  /** Why a document is summarized again by the same request. */
  const findRedoReason = (known: KnownSummary, state: OutputFileState): RerunReason => {
    if (shouldRedo(known)) return redoesAll(redo) ? 'requested' : 'flagged'
    return state === 'deleted' ? 'summary deleted' : 'forced'
  }
  const inspectPlace = async (
    path: string,
    file: string,
    known: KnownSummary | undefined,
  ): Promise<OutputFileState> => {
    const stats = statFile(out, file)
    if (stats === undefined) return known === undefined ? 'missing' : 'deleted'
    if (stats.isDirectory()) return 'directory'
    const found = stats.isFile() ? await hashFile(out, file) : undefined
    // Its time would be quicker to compare, and proves nothing: what is unmodified may be replaced.
    if (known !== undefined && !known.isMisnamed)
      return found === known.output.sha256 ? 'unmodified' : 'modified'
    // Where its line is damaged, the hash may be cut off.
    const hash = damaged.hashesByPath.get(path)
    return hash !== undefined && found?.startsWith(hash) ? 'unmodified' : 'untracked'
  }

  /** Keeps an outcome; resolves with what puts it in place. */
  const prepareOutcome = async (outcome: Outcome): Promise<() => Promise<void>> => {
    const doNothing = () => Promise.resolve()
    const { document, requestMetadata } = outcome
    const { path } = document
    const line = toLedgerEntry(outcome, new Date(clock.wallTime()).toISOString(), findProvenance(path))
    if (line === undefined) return doNothing
    if (line.type === 'document') {
      // The options of the run that sent it count, which may be an earlier one.
      const { answerSettings } = requestMetadata ?? {}
      const head = (answerSettings?.frontMatter ?? withFrontMatter) ? formatFrontMatter(line) : ''
      const written = toOutputFile(outcome, findNames(path, answerSettings), {
        out,
        head,
        structured: isJson(answerSettings),
      })
      return outputState.persist({ entry: line, ...written })
    }
    const { size, mtime, settingsHash } = summaries.get(path) ?? {}
    const known = line.size_bytes === size && line.mtime_ms === mtime && line.settings_hash === settingsHash
    return known && !unfinishedPaths.has(path) ? doNothing : () => outputState.confirmUnchanged(line)
  }
  const preparedOutcomes = new WeakMap<Outcome, Promise<() => Promise<void>>>()

  return {
    rerunReasons,
    summaryPath: (path) => findNames(path).summary,
    isUpToDate({ path, stats }) {
      const known = summaries.get(path)
      if (known === undefined || stats === undefined || unfinishedPaths.has(path)) return false
      if (shouldRedo(known)) return false
      const { size, mtime, settingsHash, output } = known
      if (
        stats.size !== size ||
        stats.mtimeMs !== mtime ||
        settingsHash !== findProvenance(path).settingsHash
      )
        return false
      try {
        const outputStats = lstatIfPresent(join(out, locateSummary(path, known)))
        return (
          outputStats?.size === output.size_bytes &&
          outputStats.mtimeMs === output.mtime_ms &&
          outputStats.isFile()
        )
      } catch {
        return false
      }
    },
    isLeftOut(path) {
      if (!redoesOnlyTargets(redo) || failedPaths.has(path)) return false
      const known = summaries.get(path)
      if (known === undefined) return true
      const hasOtherSettings = known.settingsHash !== findProvenance(path).settingsHash
      return !shouldRedo(known) && !(redo.includes('settings') && hasOtherSettings)
    },
    async checkConflict({ path }, { requestHash: key, answerSettings }) {
      const { summary } = findNames(path, answerSettings)
      if (!isPathAllowed(out, summary)) return nameTooLongProblem
      const file = join(out, summary)
      const link = findSymlink(out, dirname(file))
      if (link !== undefined) return symlinkProblem(relative(out, link))
      const known = summaries.get(path)
      const isSameRequest = known?.requestHash === key
      const isUpToDate = isSameRequest && !shouldRedo(known)
      const mayOverwrite = force || isOlderThan(file, answerSettings?.replacesBefore)
      const state = await inspectPlace(path, file, known)
      const problem = checkOverwrite(isUpToDate, state, mayOverwrite)
      if (problem === undefined && known !== undefined) {
        const reason = isSameRequest ? findRedoReason(known, state) : findChange(known, findProvenance(path))
        pendingReasons.set(path, reason)
      }
      return problem
    },
    async persist(outcome) {
      const preparing = prepareOutcome(outcome)
      preparedOutcomes.set(outcome, preparing)
      return preparing.then(
        () => true,
        () => false,
      )
    },
    async write(outcome) {
      const putInPlace = await (preparedOutcomes.get(outcome) ?? prepareOutcome(outcome))
      await putInPlace()
      const { path } = outcome.document
      const reason = pendingReasons.get(path)
      if (reason !== undefined && outcome.status === 'summarized') countDocument(rerunReasons, reason, path)
      pendingReasons.delete(path)
    },
    close: () => outputState.close(),
  }
}

/** Whether a file was last written before a time: milliseconds since 1970. */
function isOlderThan(file: string, time: number | undefined): boolean {
  if (time === undefined) return false
  const stats = lstatIfPresent(file)
  return stats !== undefined && stats.mtimeMs < time
}

/** What is written for an outcome, if anything is. @param head of a summary */
function toOutputFile(
  outcome: Outcome,
  { summary, errorRecord }: OutputPaths,
  { out, head, structured }: { readonly out: string; readonly head: string; readonly structured: boolean },
): Pick<JournalEntry, 'path' | 'text'> {
  if (outcome.status === 'summarized') {
    const text = outcome.text.trimEnd()
    return { path: summary, text: `${head}${structured ? escapeLoneSurrogates(text) : text}\n` }
  }
  if (outcome.status !== 'failed' || !canHoldRecord(out, errorRecord, outcome)) return {}
  return { path: errorRecord, text: formatErrorRecord(outcome) }
}

/**
 * Whether a document can have an error record. Where it cannot be read, nothing has looked at its place in the output
 * folder yet; then the ledger alone has the failure, which must not end the run for all other documents.
 */
function canHoldRecord(out: string, record: string, { failure, partialText: partial }: Failed): boolean {
  if (unwritableTypes.has(failure.type) || !isPathAllowed(out, record)) return false
  return partial !== undefined || findSymlink(out, dirname(join(out, record))) === undefined
}

/** The problem of a document whose summary can have no place: the file system allows no name or path that long. */
const nameTooLongProblem: InputProblem = {
  action: 'fail',
  type: 'name_too_long',
  message:
    'the name of its summary would be longer than the file system allows; use a shorter --out, or shorter names',
}

function symlinkProblem(link: string): InputProblem {
  const message = `the folder of its summary is behind a symbolic link, ${link}; remove the link, or use another --out`
  return { action: 'fail', type: 'outside', message }
}

function findChange({ settingsHash, run }: KnownSummary, now: Provenance): RerunReason {
  if (settingsHash === now.settingsHash) return 'document changed'
  if (run === undefined || run.prompt !== now.prompt) return 'prompt changed'
  return run.model === now.model ? 'settings changed' : 'model changed'
}

function* listPaths(sources: readonly DocumentRef[]): Generator<string> {
  for (const { path } of sources) yield path
}

/** But for those that no run can have written under the name that the ledger has. */
function* listSummaries(made: ReadonlyMap<string, KnownSummary>): Generator<[string, string]> {
  for (const [path, known] of made) if (!known.isMisnamed) yield [path, locateSummary(path, known)]
}
