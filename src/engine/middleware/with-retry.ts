import pRetry from 'p-retry'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { isRetryable } from '../../core/errors/classify-error.ts'
import { describeFailure } from '../../core/errors/describe-failure.ts'
import { toFailure } from '../../core/errors/failure.ts'
import { getRetryAfterMs, isUnreachable } from '../../core/errors/request-error.ts'
import { RunError, UnreachableError } from '../../core/errors/run-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import type { Clock } from '../../core/run/clock.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { withAnySignal } from '../with-any-signal.ts'
import type { Semaphore } from './semaphore.ts'

export interface RetryOptions {
  /** Retries after transient errors. */
  readonly retries: number
  /** A document that is asked to wait longer than this is given up: milliseconds. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: no further sending, not even of what failed. */
  readonly drainSignal: AbortSignal
  /** Those one of which is in hand: waits are spent without it, so that nobody else has to wait. */
  readonly semaphore: Pick<Semaphore, 'waitWithoutPermit' | 'addPlace'>
}

/**
 * The one retry layer: sends again only what a retry can cure, after a backoff with full jitter or as long as the
 * service asks; others are served meanwhile. Where the service refused everybody (a 429, an outage) no attempt is used
 * up, and how long to wait was decided before (see `engine/middleware/failure-decider.ts`).
 *
 * What somebody has read the beginning of is not asked again.
 *
 * Rejects with an `AskError` that carries every sending; with a `RunError` where the service cannot be reached, or the
 * reason of `drain` where it was told not to send again, each in a `StoppedError` once something was sent.
 * @param createAsk makes the `Ask` for all sendings of one request
 */
export function withRetry(
  createAsk: () => Ask,
  { retries, maxWaitMs, clock, random, drainSignal, semaphore }: RetryOptions,
): Ask {
  return async (request, signal, onText) => {
    const ask = createAsk()
    const previousAttempts: Attempt[] = []
    let hasOutput = false
    let removePlace: (() => void) | undefined
    const trackedOnText =
      onText &&
      ((piece: string) => {
        hasOutput = true
        onText(piece)
      })

    const sendAttempt = async (attemptNumber: number) => {
      drainSignal.throwIfAborted()
      try {
        const reply = await ask({ ...request, attemptNumber }, signal, trackedOnText)
        return { ...reply, attempts: [...previousAttempts, ...reply.attempts] }
      } catch (error) {
        if (error instanceof AskError || error instanceof StoppedError)
          previousAttempts.push(...error.attempts)
        throw error
      }
    }

    try {
      return await pRetry(sendAttempt, {
        // Counted here: p-retry gives up on its own count even where a failure was free.
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 0,
        // Consumed also where it is never retried: p-retry would repeat a TypeError for ever that uses nothing up.
        shouldConsumeRetry: ({ error }) => !(error instanceof AskError && error.retryPlan.isUncounted),
        shouldRetry: async ({ error, retriesConsumed }) => {
          if (!(error instanceof AskError)) return false
          const { requestError, retryPlan } = error
          if (hasOutput || !(isRetryable(requestError) || retryPlan.isSecondTry)) return false
          drainSignal.throwIfAborted()
          if (!retryPlan.isUncounted && retriesConsumed >= retries) return false
          const waitMs =
            retryPlan.waitMs ??
            getRetryAfterMs(requestError) ??
            computeBackoffMs(retriesConsumed + 1, random())
          if (waitMs > maxWaitMs) return false
          if (waitMs === 0) return true
          removePlace ??= semaphore.addPlace()
          await withAnySignal(drainSignal, signal, (combined) =>
            semaphore.waitWithoutPermit(() => clock.sleep(waitMs, combined), combined),
          )
          return true
        },
      })
    } catch (error) {
      if (error instanceof AskError) {
        const errorWithAllAttempts = new AskError(error.requestError, previousAttempts)
        throw isUnreachable(error.requestError)
          ? new StoppedError(createUnreachableError(errorWithAllAttempts), previousAttempts)
          : errorWithAllAttempts
      }
      const cause = error instanceof StoppedError ? error.cause : error
      const isStop = cause instanceof RunError || cause === drainSignal.reason || cause === signal.reason
      throw isStop && previousAttempts.length > 0 ? new StoppedError(cause as Error, previousAttempts) : cause
    } finally {
      removePlace?.()
    }
  }
}

/** No document is to blame for it, so it ends the run, which has nothing else to do. */
function createUnreachableError(error: AskError): UnreachableError {
  const failureText = escapeControlChars(describeFailure(toFailure(error.requestError)))
  return new UnreachableError(failureText, { cause: error })
}
