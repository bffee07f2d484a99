import { addTotals, emptyTotals, type Totals, toTotals } from '../../core/pricing/totals.ts'
import { type DocumentEntry, isSummarized, type RunStart } from '../../core/run/ledger-entry.ts'
import { applyUnchanged, type KnownSummary, toKnownSummary } from './known-summary.ts'
import { type LedgerReducers, reduceLedger, resolveWorkingDirectory } from './reduce-ledger.ts'

/** The content of a ledger, for a report. */
export interface LedgerHistory {
  /** In the order of the ledger. Entries before the first run start belong to a run without `start`. */
  readonly runs: readonly { readonly start: RunStart | undefined; readonly totals: Totals }[]
  /** The latest summary of each document, by document path, in the order in which the summaries were made. */
  readonly summaries: ReadonlyMap<string, KnownSummary>
  /** The entries of documents whose last run failed, by their paths. */
  readonly failures: ReadonlyMap<string, DocumentEntry>
  readonly damagedLines: number
}

/**
 * Reads the history of an output folder from its ledger.
 * @param cwdFromOut the working directory, relative to the output folder; all paths are relative to this
 *   directory
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
 */
export function readLedgerHistory(file: string, cwdFromOut: string): Promise<LedgerHistory> {
  const state: HistoryState = {
    cwd: resolveWorkingDirectory(file, cwdFromOut),
    runs: [],
    summaries: new Map(),
    failures: new Map(),
    damagedLines: 0,
  }
  return reduceLedger(file, cwdFromOut, state, historyReducers)
}

interface HistoryState {
  readonly cwd: string
  readonly runs: { start: RunStart | undefined; totals: Totals }[]
  readonly summaries: Map<string, KnownSummary>
  readonly failures: Map<string, DocumentEntry>
  damagedLines: number
}

const historyReducers: LedgerReducers<HistoryState> = {
  run_start({ runs }, start) {
    runs.push({ start, totals: emptyTotals })
  },
  document(state, entry, { path, run }) {
    const { summaries, failures } = state
    addToLastRun(state, toTotals(entry))
    failures.delete(path)
    if (isSummarized(entry)) {
      // Deleted first, so that the map is in the order in which the summaries were made.
      summaries.delete(path)
      summaries.set(path, toKnownSummary(entry, path, state.cwd, run))
    } else if (entry.status === 'failed') failures.set(path, entry)
  },
  unchanged({ summaries, failures }, entry, { path }) {
    failures.delete(path)
    applyUnchanged(summaries, path, entry)
  },
  pruned({ summaries, failures }, _entry, { path }) {
    failures.delete(path)
    summaries.delete(path)
  },
  compacted(state, { totals }) {
    addToLastRun(state, totals)
  },
  damaged(state) {
    state.damagedLines++
  },
}

function addToLastRun({ runs }: HistoryState, totals: Totals): void {
  const lastRun = runs.at(-1)
  if (lastRun === undefined) runs.push({ start: undefined, totals })
  else lastRun.totals = addTotals(lastRun.totals, totals)
}
