import { isDigest } from '../../core/run/is-digest.ts'
import { type DocumentEntry, isSummarized } from '../../core/run/ledger-entry.ts'
import { ledgerPath } from '../output-folder.ts'
import { type LedgerReducers, reduceLedger } from './reduce-ledger.ts'
import { findSimulator } from './simulated-entry.ts'

/** A result of a document that no later one supersedes. */
export interface CurrentResult {
  /** The entry; its path is relative to the working directory, and `output` is the file as it was written last. */
  readonly entry: DocumentEntry
  readonly isSimulated: boolean
}

/** The results of an output folder, without digests, which are not about one document. */
export interface CurrentResults {
  /**
   * Sorted by path. A document that failed, or was left pending, after it had a summary has two results, the
   * summary first.
   */
  readonly results: readonly CurrentResult[]
  readonly damagedLines: number
}

/**
 * Reads the current results of an output folder from its ledger. Needs no lock.
 * @param cwdFromOut the working directory, relative to the output folder
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
 */
export async function readCurrentResults(out: string, cwdFromOut: string): Promise<CurrentResults> {
  const state: ResultsState = { summaries: new Map(), unfinished: new Map(), damagedLines: 0 }
  await reduceLedger(ledgerPath(out), cwdFromOut, state, resultReducers)
  const results = [...state.summaries.values(), ...state.unfinished.values()]
  return {
    results: results.filter(({ entry }) => !isDigest(entry.prompt)).sort(compareByPath),
    damagedLines: state.damagedLines,
  }
}

/** The order of two results of the same document is kept. */
function compareByPath({ entry: { path: a } }: CurrentResult, { entry: { path: b } }: CurrentResult): number {
  return a < b ? -1 : a > b ? 1 : 0
}

interface ResultsState {
  readonly summaries: Map<string, CurrentResult>
  /** The results of documents that failed or were left pending in their last run. */
  readonly unfinished: Map<string, CurrentResult>
  damagedLines: number
}

const resultReducers: LedgerReducers<ResultsState> = {
  document({ summaries, unfinished }, entry, { path, run }) {
    const result = { entry: { ...entry, path }, isSimulated: findSimulator(entry, run) !== undefined }
    unfinished.delete(path)
    if (isSummarized(entry)) summaries.set(path, result)
    else unfinished.set(path, result)
  },
  unchanged({ summaries, unfinished }, { request_hash, output }, { path }) {
    unfinished.delete(path)
    const known = summaries.get(path)
    if (known?.entry.output === undefined || known.entry.request_hash !== request_hash) return
    summaries.set(path, { ...known, entry: { ...known.entry, output: { ...known.entry.output, ...output } } })
  },
  pruned({ summaries, unfinished }, _entry, { path }) {
    unfinished.delete(path)
    summaries.delete(path)
  },
  damaged(state) {
    state.damagedLines++
  },
}
