import { join } from 'node:path'
import type { DocumentRef, InputProblem } from '../core/document/document.ts'
import {
  createFailedBeforeProblem,
  createFailedForOtherProblem,
  otherSettingsProblem,
} from '../core/document/kept-results.ts'
import { type RedoTarget, redoesAll, redoesSummary } from '../core/document/redo.ts'
import type { RequestMetadata } from '../core/run/outcome.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { lstatIfPresent } from './fs/symlinks.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import type { Ledger } from './ledger/read-ledger.ts'
import type { SimulatedBy } from './ledger/simulated-entry.ts'

/** Decides which results of earlier runs a run keeps, although a new request could have another result. */
export interface EarlierResults {
  /** Whether a run replaces a summary even if its document and its settings are the same. */
  isToBeRedone(known: KnownSummary): boolean
  /** Whether a summary came from a simulator, and the API may answer this run. */
  isReplacedByReal(known: KnownSummary): boolean
  /**
   * Whether a simulated run leaves the document alone, because its summary or its error record comes from the
   * API.
   */
  isKeptFromSimulation(path: string): boolean
  /**
   * Returns how a document failed, in a few words, if its request would fail again. This is so if the size
   * and time of the document and the settings are the same, and its error record still exists.
   */
  findRepeatedFailure(source: DocumentRef): string | undefined
  /** Compares the settings of a document's summary with those of this run, without reading the document. */
  compareSettings(source: DocumentRef): SettingsComparison
  /** Whether a changed setting is the only reason to replace the summary of a document that was read. */
  isOnlySettingsChanged(path: string, asked: RequestMetadata): boolean
  /**
   * Returns the earlier result that makes a request unnecessary, as a problem. Call it after the document was
   * read.
   */
  findProblem(source: DocumentRef, asked: RequestMetadata): InputProblem | undefined
  /** Returns the failure of another document with the same request, if it would repeat, as a problem. */
  findFailureOfOther(requestHash: string): InputProblem | undefined
}

/**
 * `changed`: a changed setting is the only reason to replace the summary. `same`: no setting changed, there
 * is another reason too, or there is no summary. `unclear`: the answer requires the document's content and
 * its request.
 */
type SettingsComparison = 'same' | 'changed' | 'unclear'

/**
 * Who answers a run: `simulated` is the simulator of `--simulate`, `local` a server on this machine, which
 * may be a simulator too, and `remote` the API.
 */
export type ReplyOrigin = 'simulated' | 'local' | 'remote'

export interface EarlierResultsOptions {
  readonly ledger: Pick<Ledger, 'summaries' | 'failures' | 'unfinishedPaths'>
  /** Returns the provenance of a document's summary in this run, by the document's path. */
  readonly findProvenance: (path: string) => Provenance
  /** Existing results to produce again. */
  readonly redo: readonly RedoTarget[]
  readonly replies: ReplyOrigin
}

/** Creates the decisions about earlier results for one run. @param out the output folder; absolute */
export function createEarlierResults(
  out: string,
  { ledger: { summaries, failures, unfinishedPaths }, findProvenance, redo, replies }: EarlierResultsOptions,
): EarlierResults {
  const exists = (file: string | undefined) =>
    file !== undefined && lstatIfPresent(join(out, file)) !== undefined
  const isToBeRedone = (known: KnownSummary) =>
    redoesSummary(redo, known.qualityIssues ?? []) || isReplacedByReal(known.simulatedBy, replies)
  const replacesOtherSettings = redo.includes('settings')
  const findKept = (path: string): KnownSummary | undefined => {
    const known = summaries.get(path)
    if (known === undefined || replacesOtherSettings || isToBeRedone(known)) return undefined
    // The last run agreed to replace the summary with these settings, but the document failed.
    const wasTried = unfinishedPaths.get(path) === findProvenance(path).settingsHash
    return wasTried || !exists(locateSummary(path, known)) ? undefined : known
  }
  const isOnlySettingsChanged = (path: string, { requestHash, fingerprint }: RequestMetadata) => {
    const known = findKept(path)
    return known !== undefined && known.sha256 === fingerprint.sha256 && known.requestHash !== requestHash
  }
  const findPermanentFailure = (path: string) => {
    const failure = failures.get(path)
    if (failure?.permanentReason === undefined || !exists(failure.record)) return undefined
    if (redo.includes('failed') || redoesAll(redo)) return undefined
    return isReplacedByReal(failure.simulatedBy, replies) ? undefined : failure
  }
  let failedPaths: ReadonlyMap<string, string> | undefined
  return {
    isToBeRedone,
    isReplacedByReal: ({ simulatedBy }) => isReplacedByReal(simulatedBy, replies),
    isOnlySettingsChanged,
    findRepeatedFailure({ path, stats }) {
      const failure = findPermanentFailure(path)
      if (failure === undefined || failure.settingsHash !== findProvenance(path).settingsHash)
        return undefined
      const isSameFile = stats !== undefined && failure.size === stats.size && failure.mtime === stats.mtimeMs
      return isSameFile ? failure.permanentReason : undefined
    },
    findProblem({ path, stats }, asked) {
      const failure = findPermanentFailure(path)
      if (failure?.permanentReason !== undefined && failure.requestHash === asked.requestHash)
        return createFailedBeforeProblem(failure.permanentReason)
      // For a file, the run checked this before it sent any request.
      return stats === undefined && isOnlySettingsChanged(path, asked) ? otherSettingsProblem : undefined
    },
    findFailureOfOther(requestHash) {
      failedPaths ??= indexPermanentFailures(failures)
      const path = failedPaths.get(requestHash)
      const error = path === undefined ? undefined : findPermanentFailure(path)?.error
      return error && createFailedForOtherProblem(error)
    },
    isKeptFromSimulation(path) {
      if (replies !== 'simulated') return false
      const known = summaries.get(path)
      if (known !== undefined && known.simulatedBy !== 'run' && exists(locateSummary(path, known)))
        return true
      const failure = failures.get(path)
      return failure?.permanentReason !== undefined && failure.simulatedBy !== 'run' && exists(failure.record)
    },
    compareSettings({ path, stats }) {
      const { settingsHash, prompt, model } = findProvenance(path)
      if (stats === undefined || summaries.get(path)?.settingsHash === settingsHash) return 'same'
      const known = findKept(path)
      if (known === undefined || known.size !== stats.size) return 'same'
      const isOtherPrompt = known.run?.prompt !== prompt || known.run.model !== model
      return isOtherPrompt && known.mtime === stats.mtimeMs ? 'changed' : 'unclear'
    },
  }
}

/** Whether a simulated result does not count, because the API may answer now. */
function isReplacedByReal(simulatedBy: SimulatedBy | undefined, replies: ReplyOrigin): boolean {
  if (simulatedBy === undefined || replies === 'simulated') return false
  return simulatedBy === 'run' || replies === 'remote'
}

function indexPermanentFailures(failures: EarlierResultsOptions['ledger']['failures']): Map<string, string> {
  const paths = new Map<string, string>()
  for (const [path, { requestHash, permanentReason }] of failures)
    if (requestHash !== undefined && permanentReason !== undefined) paths.set(requestHash, path)
  return paths
}
