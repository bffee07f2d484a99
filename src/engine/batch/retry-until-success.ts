import { AskError } from '../../core/errors/ask-error.ts'
import { judge } from '../../core/errors/classify-error.ts'
import { backoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'

export interface PatientOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: no more trying. */
  readonly drain: AbortSignal
  /** Told of each failure, and how long is waited now: milliseconds. */
  readonly failed?: (error: AskError, waitMs: number) => void
  /** How often it is done again at most; without end, if left out. */
  readonly retries?: number
}

/**
 * Does again what does no harm when it is done twice, until it succeeds or the retries are used up, as long as the API
 * is to blame. Rejects with the `AskError`, or the reason of `drain`.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { clock, random, drain, failed, retries = Number.POSITIVE_INFINITY }: PatientOptions,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    drain.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isTransient(error) || failures > retries) throw error
      const { retryAfter } = error.fault
      const wait = retryAfter === undefined ? backoffMs(failures, random()) : retryAfter * 1000
      failed?.(error, wait)
      await clock.sleep(wait, drain)
    }
  }
}

/** Whether the API is to blame for an error, for now. */
export function isTransient(error: unknown): error is AskError {
  return error instanceof AskError && judge(error.fault).blame === 'service'
}
