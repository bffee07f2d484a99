import { dirname, join, relative, sep } from 'node:path'
import type { DocumentRef, InputProblem } from '../core/document/document.ts'
import { assignOutputPaths, type OutputPaths } from '../core/document/output-path.ts'
import { checkOverwrite, type OutputFileState } from '../core/document/overwrite-policy.ts'
import { type RedoTarget, redoesOnlyTargets } from '../core/document/redo.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import { isDigest } from '../core/run/is-digest.ts'
import type { RequestMetadata } from '../core/run/outcome.ts'
import type { Provenance } from '../core/run/provenance.ts'
import type { EarlierResults } from './earlier-results.ts'
import { hashFile } from './fs/file-hash.ts'
import { isPathAllowed } from './fs/path-length.ts'
import { findSymlink, lstatIfPresent } from './fs/symlinks.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import type { Ledger } from './ledger/read-ledger.ts'
import { chooseRerunReason, type RerunReason } from './rerun-reason.ts'

/** Compares documents with the summaries in an output folder. Only reads, so it needs no lock. */
export interface SummaryInspector {
  /** Whether the summary of a document is up to date, by sizes and times. Costs one or two `stat` calls. */
  isUpToDate(source: DocumentRef): boolean
  /** Whether `--redo` limits the run to results that do not include this document. */
  isLeftOut(path: string): boolean
  /** Whether the file at a path is a digest that an earlier run wrote. */
  isEarlierDigest(path: string): boolean
  /**
   * Returns the reason not to summarize a document or not to write its summary, or undefined.
   * Compares contents. If the document had a summary, saves the reason for summarizing it again.
   */
  checkConflict(
    source: DocumentRef,
    asked: Pick<RequestMetadata, 'requestHash' | 'answerSettings'>,
  ): Promise<InputProblem | undefined>
  /** Returns and removes the rerun reason that `checkConflict` saved for a document. */
  takeRerunReason(path: string): RerunReason | undefined
  /**
   * Returns the files of a document, relative to the output folder, and whether its summary is a JSON object.
   * @param settings of the document's answer; if left out, those of this run
   */
  getOutput(path: string, settings?: AnswerSettings): DocumentOutput
}

export interface DocumentOutput extends OutputPaths {
  readonly isJson: boolean
}

export interface SummaryInspectorOptions {
  readonly ledger: Pick<Ledger, 'summaries' | 'unfinishedPaths' | 'failures' | 'damaged'>
  /** Returns the provenance of a document's summary in this run, by the document's path. */
  readonly findProvenance: (path: string) => Provenance
  /** Whether the file system of the output folder ignores case in names. */
  readonly foldsCase: boolean
  /** Whether a run overwrites files that were edited by hand or that claude-batch did not write. */
  readonly force: boolean
  /** Existing results to produce again. */
  readonly redo: readonly RedoTarget[]
  /** Whether this run asks for JSON objects. */
  readonly structured: boolean
  readonly earlier: Pick<EarlierResults, 'isToBeRedone' | 'isReplacedByReal'>
}

/**
 * Creates an inspector of the summaries in an output folder.
 * @param out the output folder; absolute
 * @param sources all documents of the run, so that no two documents get the same file
 */
export function createSummaryInspector(
  out: string,
  sources: readonly DocumentRef[],
  { ledger, findProvenance, foldsCase, force, redo, structured, earlier }: SummaryInspectorOptions,
): SummaryInspector {
  const { summaries, unfinishedPaths, failures, damaged } = ledger
  const rerunReasons = new Map<string, RerunReason>()
  let assignedPaths: ReturnType<typeof assignOutputPaths> | undefined
  // Paths are assigned when the first is needed, because a run without work needs none.
  const getOutput = (path: string, settings?: AnswerSettings): DocumentOutput => {
    assignedPaths ??= assignOutputPaths(sources, {
      caseInsensitive: foldsCase,
      existingSummaries: listSummaries(summaries),
    })
    const isJson = settings === undefined ? structured : settings.schema !== undefined
    return { ...assignedPaths(path, isJson), isJson }
  }
  const shouldRedo = earlier.isToBeRedone
  /** Returns the state of a file in a folder without links. */
  const inspectFile = async (
    path: string,
    file: string,
    known: KnownSummary | undefined,
  ): Promise<OutputFileState> => {
    const stats = lstatIfPresent(file)
    if (stats === undefined) return known === undefined ? 'missing' : 'deleted'
    if (stats.isDirectory()) return 'directory'
    const found = stats.isFile() ? await hashFile(out, file) : undefined
    // Comparing times would be faster but is not reliable enough, because an unmodified file is overwritten.
    if (known !== undefined && !known.isMisnamed)
      return found === known.output.sha256 ? 'unmodified' : 'modified'
    // In a damaged ledger entry the hash may be cut off.
    const hash = damaged.hashesByPath.get(path)
    return hash !== undefined && found?.startsWith(hash) ? 'unmodified' : 'untracked'
  }
  return {
    getOutput,
    isEarlierDigest: (path) => isDigest(summaries.get(path)?.run?.prompt),
    isUpToDate({ path, stats }) {
      const known = summaries.get(path)
      if (known === undefined || stats === undefined || unfinishedPaths.has(path)) return false
      if (shouldRedo(known)) return false
      const { size, mtime, settingsHash } = known
      if (stats.size !== size || stats.mtimeMs !== mtime) return false
      return settingsHash === findProvenance(path).settingsHash && hasUnchangedStats(out, path, known)
    },
    isLeftOut(path) {
      if (!redoesOnlyTargets(redo) || failures.has(path)) return false
      // With --redo failed, digests whose summaries changed are still written.
      if (isDigest(findProvenance(path).prompt)) return false
      const known = summaries.get(path)
      if (known === undefined) return true
      const hasOtherSettings = known.settingsHash !== findProvenance(path).settingsHash
      return !shouldRedo(known) && !(redo.includes('settings') && hasOtherSettings)
    },
    async checkConflict({ path }, { requestHash, answerSettings }) {
      const { summary } = getOutput(path, answerSettings)
      if (!isPathAllowed(out, summary)) return nameTooLongProblem
      const file = join(out, summary)
      const link = findSymlink(out, dirname(file))
      if (link !== undefined) return createSymlinkProblem(relative(out, link))
      const known = summaries.get(path)
      const isSameRequest = known?.requestHash === requestHash
      const isUpToDate = isSameRequest && !shouldRedo(known)
      const mayOverwrite = force || isOlderThan(file, answerSettings?.replacesBefore)
      const state = await inspectFile(path, file, known)
      const problem = checkOverwrite(isUpToDate, state, mayOverwrite)
      if (problem === undefined && known !== undefined) {
        const wasSimulated = earlier.isReplacedByReal(known)
        const cause = { isSameRequest, state, redo, provenance: findProvenance(path), wasSimulated }
        rerunReasons.set(path, chooseRerunReason(known, cause))
      }
      return problem
    },
    takeRerunReason(path) {
      const reason = rerunReasons.get(path)
      rerunReasons.delete(path)
      return reason
    },
  }
}

/** Whether the file of a summary has the size and time recorded in the ledger. */
function hasUnchangedStats(out: string, path: string, known: KnownSummary): boolean {
  try {
    // Not `join`, which takes as long as the call: the ledger has no path that needs it.
    const stats = lstatIfPresent(out + sep + locateSummary(path, known))
    const { size_bytes: size, mtime_ms: mtime } = known.output
    return stats?.size === size && stats.mtimeMs === mtime && stats.isFile()
  } catch {
    return false
  }
}

/** Whether a file was last modified before a time. @param time milliseconds since 1970 */
function isOlderThan(file: string, time: number | undefined): boolean {
  if (time === undefined) return false
  const stats = lstatIfPresent(file)
  return stats !== undefined && stats.mtimeMs < time
}

/** The problem of a document whose summary would have a name or path that the file system does not allow. */
const nameTooLongProblem: InputProblem = {
  action: 'fail',
  type: 'name_too_long',
  message:
    'the name of its summary would be longer than the file system allows; use a shorter --out, or shorter names',
}

function createSymlinkProblem(link: string): InputProblem {
  const message = `the folder of its summary is behind a symbolic link, ${link}; remove the link, or use another --out`
  return { action: 'fail', type: 'outside', message }
}

/** Yields documents and their summaries, except those with a name that no run can have given them. */
function* listSummaries(summaries: ReadonlyMap<string, KnownSummary>): Generator<[string, string]> {
  for (const [path, known] of summaries) if (!known.isMisnamed) yield [path, locateSummary(path, known)]
}
