import { join } from 'node:path'
import type { DocumentRef } from '../core/document/document.ts'
import { type RedoTarget, redoesAll, redoesSummary } from '../core/document/redo.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { lstatIfPresent } from './fs/symlinks.ts'
import type { KnownFailure } from './ledger/known-failure.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import type { Ledger } from './ledger/read-ledger.ts'
import type { SimulatedBy } from './ledger/simulated-entry.ts'

/** Decides which results of earlier runs a run keeps although it would get other ones. */
export interface EarlierResults {
  /** Whether a run replaces a summary even if its document and its settings are the same. */
  isToBeRedone(known: KnownSummary): boolean
  /**
   * Whether a simulated run leaves the document alone, because its summary or its error record comes from the
   * API.
   */
  isKeptFromSimulation(path: string): boolean
  /** Returns how the document failed, if the same request would fail again and its error record still exists. */
  findPermanentFailure(path: string): KnownFailure | undefined
  /** Compares the settings that made a document's summary with those of this run, without reading the document. */
  compareSettings(source: DocumentRef): SettingsComparison
}

/**
 * `changed`: a changed setting is the only reason to replace the summary. `same`: it is not, or there is no summary.
 * `unclear`: only the document's content and its request show it.
 */
export type SettingsComparison = 'same' | 'changed' | 'unclear'

/** Who answers a run: the simulator of `--simulate`, a server on this machine, which may be a simulator too, or the API. */
export type ReplyOrigin = 'simulated' | 'local' | 'remote'

export interface EarlierResultsOptions {
  readonly ledger: Pick<Ledger, 'summaries' | 'failures'>
  /** Returns the provenance of a document's summary in this run, by the document's path. */
  readonly findProvenance: (path: string) => Provenance
  /** Existing results to produce again. */
  readonly redo: readonly RedoTarget[]
  readonly replies: ReplyOrigin
}

/** @param out the output folder; absolute */
export function createEarlierResults(
  out: string,
  { ledger: { summaries, failures }, findProvenance, redo, replies }: EarlierResultsOptions,
): EarlierResults {
  const exists = (file: string | undefined) =>
    file !== undefined && lstatIfPresent(join(out, file)) !== undefined
  const isToBeRedone = (known: KnownSummary) =>
    redoesSummary(redo, known.qualityIssues ?? []) || isReplacedByReal(known.simulatedBy, replies)
  return {
    isToBeRedone,
    isKeptFromSimulation(path) {
      if (replies !== 'simulated') return false
      const known = summaries.get(path)
      if (known !== undefined && known.simulatedBy === undefined && exists(locateSummary(path, known)))
        return true
      const failure = failures.get(path)
      return (
        failure?.permanentReason !== undefined && failure.simulatedBy === undefined && exists(failure.record)
      )
    },
    findPermanentFailure(path) {
      const failure = failures.get(path)
      if (failure?.permanentReason === undefined || !exists(failure.record)) return undefined
      if (redo.includes('failed') || redoesAll(redo)) return undefined
      return isReplacedByReal(failure.simulatedBy, replies) ? undefined : failure
    },
    compareSettings({ path, stats }) {
      const known = summaries.get(path)
      if (known === undefined || stats === undefined || isToBeRedone(known)) return 'same'
      const { settingsHash, prompt, model } = findProvenance(path)
      if (known.settingsHash === settingsHash || known.size !== stats.size) return 'same'
      if (!exists(locateSummary(path, known))) return 'same'
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
