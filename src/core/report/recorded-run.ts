import type { Totals } from '../pricing/totals.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../run/ledger-entry.ts'

/** A run as it was recorded. */
export interface RecordedRun {
  readonly start: RunStart
  readonly end?: RunEnd
  /** Their paths as seen from one working directory. */
  readonly entries: readonly DocumentEntry[]
  /** Of lines that later ones have taken the place of. */
  readonly compacted?: Totals
}
