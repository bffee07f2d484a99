import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { createFailFastCheck, failFastThreshold } from '../core/errors/fail-fast-check.ts'
import { formatFailure } from '../core/errors/failure.ts'
import type { Clock } from '../core/run/clock.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import type { Shutdown } from '../engine/shutdown.ts'
import { ExitError } from '../errors.ts'

/** Ends a run early: at the user's limits, or if the first documents all fail with the same error. */
export interface StopRules {
  observe(outcome: Outcome): void
  /** Stops the timer of `--time-limit`. */
  dispose(): void
}

/** Creates the stop rules of a run, and starts the timer of `--time-limit`. */
export function createStopRules(
  { timeLimit, maxFailures = Number.POSITIVE_INFINITY }: SummarizeOptions,
  shutdown: Shutdown,
  clock: Clock,
): StopRules {
  const timer = new AbortController()
  const detectFailFast = createFailFastCheck()
  let failureCount = 0
  if (timeLimit !== undefined) {
    clock.sleep(timeLimit * 1000, timer.signal).then(
      () =>
        shutdown.drain(
          new ExitError('limitReached', `stopped at --time-limit ${formatDuration(timeLimit * 1000)}`),
        ),
      () => {},
    )
  }
  return {
    observe(outcome) {
      if (outcome.status === 'failed' && ++failureCount === maxFailures)
        shutdown.drain(new ExitError('limitReached', `stopped at --max-failures ${maxFailures}`))
      const failure = detectFailFast(outcome)
      if (failure !== undefined) {
        const message = escapeControlChars(formatFailure(failure))
        shutdown.drain(
          new ExitError(
            'serviceRefused',
            `stopped: the first ${failFastThreshold} documents all failed with the same error: ${message}; fix its cause`,
          ),
        )
      }
    },
    dispose: () => timer.abort(),
  }
}
