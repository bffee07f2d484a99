import type { Outcome } from '../core/run/outcome.ts'
import type { StatsCollector } from '../core/run/run-stats.ts'
import type { Sink } from '../core/run/sink.ts'
import type { Shutdown } from '../engine/shutdown.ts'
import type { writeOutcomes } from '../engine/write-outcomes.ts'
import { ExitError } from '../errors.ts'
import { JournaledError } from '../storage/ledger/journal.ts'
import type { Reporter } from '../ui/reporter.ts'

/**
 * Creates the writer of outcomes. Reports each outcome after it is written, and stops the run if one cannot
 * be written.
 * @param onDelivered called with each written outcome
 */
export function createOutcomeWriter(
  writer: Sink,
  {
    stats,
    reporter,
    shutdown,
    onDelivered = () => {},
  }: {
    stats: StatsCollector
    reporter: Reporter
    shutdown: Shutdown
    onDelivered?: (outcome: Outcome) => void
  },
): Parameters<typeof writeOutcomes>[1] {
  return {
    writer,
    onWritten(outcome) {
      stats.addOutcome(outcome)
      reporter.onOutcome(outcome)
      onDelivered(outcome)
    },
    onWriteError(outcome, error) {
      const { document, attempts, elapsedMs } = outcome
      stats.addOutcome({
        document,
        attempts,
        elapsedMs,
        status: 'pending',
        reason: 'it could not be written',
      })
      // Nothing reads stdout any more, so finishing the requests in flight would be useless.
      if (error instanceof ExitError && error.exit === 'brokenPipe') return shutdown.abort(error)
      reporter.onUnsaved(outcome, error instanceof JournaledError)
      shutdown.drain(error instanceof Error ? error : new Error(String(error)))
    },
  }
}
