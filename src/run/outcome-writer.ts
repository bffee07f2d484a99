import type { Outcome } from '../core/run/outcome.ts'
import type { Tally } from '../core/run/run-stats.ts'
import type { Sink } from '../core/run/sink.ts'
import type { Halt } from '../engine/shutdown.ts'
import type { deliver } from '../engine/write-outcomes.ts'
import { RunError } from '../errors.ts'
import { KeptError } from '../storage/ledger/journal.ts'
import type { Teller } from '../ui/teller.ts'

/** Where outcomes are told once they are safe, and what happens when one cannot be written. */
export function deliveryTo(
  to: Sink,
  {
    tally,
    teller,
    halt,
    delivered = () => {},
  }: { tally: Tally; teller: Teller; halt: Halt; delivered?: (outcome: Outcome) => void },
): Parameters<typeof deliver>[1] {
  return {
    to,
    delivered(outcome) {
      tally.outcome(outcome)
      teller.outcome(outcome)
      delivered(outcome)
    },
    refused(outcome, error) {
      const { source, attempts, elapsedMs } = outcome
      tally.outcome({ source, attempts, elapsedMs, status: 'pending', reason: 'it could not be written' })
      // With the reader of stdout gone, there is nobody left to finish anything for.
      if (error instanceof RunError && error.exit === 'readerLeft') return halt.abandon(error)
      teller.unsaved(outcome, error instanceof KeptError)
      halt.stop(error instanceof Error ? error : new Error(String(error)))
    },
  }
}
