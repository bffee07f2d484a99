import { AskError } from '../../core/errors/ask-error.ts'
import { isTransient } from '../../core/errors/classify-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'

export interface RetryUntilSuccessOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: no more trying. */
  readonly drainSignal: AbortSignal
  /** Told of each failure, and how long is waited now: milliseconds. */
  readonly onRetry?: (error: AskError, waitMs: number) => void
  /** How often it is done again at most; without end, if left out. */
  readonly retries?: number
}

/**
 * Does again what does no harm when it is done twice, until it succeeds or the retries are used up, as long as the API
 * is to blame. Rejects with the `AskError`, or the reason of `drain`.
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

/** Whether the API is to blame for an error, for now. */
export function isTransientError(error: unknown): error is AskError {
  return error instanceof AskError && isTransient(error.requestError)
}
