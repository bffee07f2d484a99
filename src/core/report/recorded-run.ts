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
}
