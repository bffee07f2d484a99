import type { Totals } from '../pricing/totals.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../run/ledger-entry.ts'

/** A run as recorded in the ledger. */
export interface RecordedRun {
  readonly start: RunStart
  readonly end?: RunEnd
  /** The documents of the run. Paths of all runs are relative to the same working directory. */
  readonly entries: readonly DocumentEntry[]
  /** Totals of superseded entries that compaction removed. */
  readonly compacted?: Totals
  /** Paths of documents that looked changed, but whose summary the run found up to date. */
  readonly unchanged?: readonly string[]
  /** Paths of documents whose stale summary was deleted after the run. */
  readonly pruned?: readonly string[]
}
