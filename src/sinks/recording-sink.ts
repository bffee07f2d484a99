import type { Clock } from '../core/run/clock.ts'
import type { DocumentEntry } from '../core/run/ledger-entry.ts'
import type { Provenance } from '../core/run/provenance.ts'
import type { Sink } from '../core/run/sink.ts'
import { toLedgerEntry } from '../core/run/to-ledger-entry.ts'

/** A sink that keeps the ledger entries and summaries of this run in memory. */
export interface RecordingSink extends Sink {
  readonly entries: readonly DocumentEntry[]
  readonly texts: ReadonlyMap<string, string>
}

/** Wraps a sink and records its outcomes, for the report of a run that writes to stdout. */
export function createRecordingSink(
  sink: Sink,
  findProvenance: (path: string) => Provenance,
  clock: Pick<Clock, 'wallTime'>,
): RecordingSink {
  const entries: DocumentEntry[] = []
  const texts = new Map<string, string>()
  return {
    entries,
    texts,
    async write(outcome) {
      const entry = toLedgerEntry(
        outcome,
        new Date(clock.wallTime()).toISOString(),
        findProvenance(outcome.document.path),
      )
      await sink.write(outcome)
      if (entry?.type !== 'document') return
      entries.push(entry)
      if (outcome.status === 'summarized') texts.set(entry.path, outcome.text)
    },
    close: () => sink.close(),
  }
}
