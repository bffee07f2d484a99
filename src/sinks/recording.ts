import type { Clock } from '../core/rate-limit/clock.ts'
import { type DocumentLine, lineOf } from '../core/run/ledger-entry.ts'
import type { RunFacts } from '../core/run/provenance.ts'
import type { Sink } from '../core/run/sink.ts'

/** A sink that remembers for this run alone what a ledger would, and the texts. */
export interface Remembering extends Sink {
  readonly lines: readonly DocumentLine[]
  readonly texts: ReadonlyMap<string, string>
}

/** For a report of what went to stdout. */
export function remembering(
  sink: Sink,
  factsFor: (path: string) => RunFacts,
  clock: Pick<Clock, 'wall'>,
): Remembering {
  const lines: DocumentLine[] = []
  const texts = new Map<string, string>()
  return {
    lines,
    texts,
    async write(outcome) {
      const line = lineOf(outcome, new Date(clock.wall()).toISOString(), factsFor(outcome.source.path))
      await sink.write(outcome)
      if (line === undefined || line.status === 'unchanged') return
      lines.push(line)
      if (outcome.status === 'summarized') texts.set(line.path, outcome.text)
    },
    close: () => sink.close(),
  }
}
