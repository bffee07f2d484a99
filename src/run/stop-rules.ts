import type { SummarizeOptions } from '../config/flags.ts'
import { createBreaker } from '../core/errors/fail-fast.ts'
import { failureLine } from '../core/errors/failure.ts'
import type { Clock } from '../core/rate-limit/clock.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { printable } from '../core/text/escape-control.ts'
import { duration } from '../core/text/format-duration.ts'
import type { Halt } from '../engine/shutdown.ts'
import { RunError } from '../errors.ts'

/** What ends a run before its time, beside signals: what the user set, and errors that are everybody's. */
export interface StopRules {
  saw(outcome: Outcome): void
  /** The run is over anyway. */
  end(): void
}

export function stopRules(
  { timeLimit, maxFailures = Number.POSITIVE_INFINITY }: SummarizeOptions,
  halt: Halt,
  clock: Clock,
): StopRules {
  const over = new AbortController()
  const common = createBreaker()
  let failed = 0
  if (timeLimit !== undefined) {
    clock.sleep(timeLimit * 1000, over.signal).then(
      () => halt.stop(new RunError('limit', `stopped at --time-limit ${duration(timeLimit * 1000)}`)),
      () => {},
    )
  }
  return {
    saw(outcome) {
      if (outcome.status === 'failed' && ++failed === maxFailures)
        halt.stop(new RunError('limit', `stopped at --max-failures ${maxFailures}`))
      const failure = common(outcome)
      if (failure !== undefined) {
        const what = printable(failureLine(failure))
        halt.stop(
          new RunError('refused', `stopped: the first 5 documents all failed with the same error: ${what}`),
        )
      }
    },
    end: () => over.abort(),
  }
}
