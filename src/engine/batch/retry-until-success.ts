import { AskError } from '../../core/errors/ask-error.ts'
import { isTransient } from '../../core/errors/classify-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'

export interface RetryUntilSuccessOptions {
  readonly clock: Clock
  readonly random: () => number
  /** When aborted, no further call is made. */
  readonly drainSignal: AbortSignal
  /** Called after each failure that is retried, with the wait in milliseconds. */
  readonly onRetry?: (error: AskError, waitMs: number) => void
  /** The maximum number of retries. Default: unlimited. */
  readonly retries?: number
}

/**
 * Calls an idempotent function until it succeeds or the retries are used up. Retries only transient errors.
 * Rejects with the last `AskError`, or with the reason of `drainSignal`.
 */
export async function retryUntilSuccess<T>(
  work: () => Promise<T>,
  { clock, random, drainSignal, onRetry, retries = Number.POSITIVE_INFINITY }: RetryUntilSuccessOptions,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    drainSignal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isTransientError(error) || failures > retries) throw error
      const { retryAfterSeconds } = error.requestError
      const waitMs =
        retryAfterSeconds === undefined ? computeBackoffMs(failures, random()) : retryAfterSeconds * 1000
      onRetry?.(error, waitMs)
      await clock.sleep(waitMs, drainSignal)
    }
  }
}

/** Whether an error is a transient error of the API. */
export function isTransientError(error: unknown): error is AskError {
  return error instanceof AskError && isTransient(error.requestError)
}
