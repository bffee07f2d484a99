import pRetry from 'p-retry'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { isRetryable } from '../../core/errors/classify-error.ts'
import { describeFailure } from '../../core/errors/describe-failure.ts'
import { toFailure } from '../../core/errors/failure.ts'
import { getRetryAfterMs, isUnreachable, type RequestError } from '../../core/errors/request-error.ts'
import { RunError, UnreachableError } from '../../core/errors/run-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import type { Request } from '../../core/request/request.ts'
import type { Clock } from '../../core/run/clock.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { withAnySignal } from '../with-any-signal.ts'
import type { Semaphore } from './semaphore.ts'

export interface RetryOptions {
  /** The maximum number of retries after transient errors. */
  readonly retries: number
  /** The longest wait, in milliseconds. A document that would have to wait longer fails. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** When aborted, no further request is sent, and no retry. */
  readonly drainSignal: AbortSignal
  /**
   * The semaphore of the caller's permit, which is released during waits so that other documents can use it.
   */
  readonly semaphore: Pick<Semaphore, 'waitWithoutPermit' | 'addPlace'>
  /** Called before the wait for each retry. It must not throw. */
  readonly onRetry?: (retry: FailedAttempt) => void
}

/** An attempt that failed and will be retried. */
interface FailedAttempt {
  readonly request: Request
  /** From 1. */
  readonly attemptNumber: number
  readonly requestError: RequestError
  /** Milliseconds until the retry. */
  readonly waitMs: number
}

/**
 * The only retry layer. Retries an error only if a retry may help, after a backoff with full jitter or the
 * wait that the API asks for. Other documents continue meanwhile. A 429 pause or an outage uses up no
 * attempt, and its wait was already decided (see `engine/middleware/failure-decider.ts`).
 *
 * A request is not retried after its caller received the first text.
 *
 * Rejects with an `AskError` that has all attempts, or with a `RunError` if the API cannot be reached.
 * Rejects with the reason of `drainSignal` if a drain prevents a retry. The last two are wrapped in a
 * `StoppedError` if a request was sent.
 * @param createAsk creates the `Ask` for all attempts of one request
 */
export function withRetry(
  createAsk: () => Ask,
  { retries, maxWaitMs, clock, random, drainSignal, semaphore, onRetry }: RetryOptions,
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

    const firstAttempt = sendAttempt(1)
    try {
      return await firstAttempt
    } catch {
      // Decided below.
    }
    try {
      return await pRetry(
        (attemptNumber) => (attemptNumber === 1 ? firstAttempt : sendAttempt(attemptNumber)),
        {
          // Attempts are counted below: p-retry also counts failures that use up no attempt.
          retries: Number.POSITIVE_INFINITY,
          minTimeout: 0,
          // All other errors use up a retry. Otherwise, p-retry would retry a TypeError endlessly.
          shouldConsumeRetry: ({ error }) => !(error instanceof AskError && error.retryPlan.isUncounted),
          shouldRetry: async ({ error, attemptNumber, retriesConsumed }) => {
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
            onRetry?.({ request, attemptNumber, requestError, waitMs })
            if (waitMs === 0) return true
            removePlace ??= semaphore.addPlace()
            await withAnySignal(drainSignal, signal, (combined) =>
              semaphore.waitWithoutPermit(() => clock.sleep(waitMs, combined), combined),
            )
            return true
          },
        },
      )
    } catch (error) {
      if (error instanceof AskError) {
        const errorWithAllAttempts = error.with({ attempts: previousAttempts })
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

/** Creates the error that ends the run: without a connection to the API, no document can be sent. */
function createUnreachableError(error: AskError): UnreachableError {
  const failureText = escapeControlChars(describeFailure(toFailure(error.requestError)))
  return new UnreachableError(failureText, { cause: error })
}
