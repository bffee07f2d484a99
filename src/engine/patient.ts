import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { AskError, judge } from '../core/failure.ts'

export interface PatientOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: no more trying. */
  readonly drain: AbortSignal
  /** Told of each failure, and how long is waited now: milliseconds. */
  readonly failed?: (error: AskError, waitMs: number) => void
}

/**
 * Does again what does no harm when it is done twice, until it succeeds: as long as the service is to blame, for
 * hours if need be. Rejects with the `AskError` of anything else, or the reason of `drain`.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { clock, random, drain, failed }: PatientOptions,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    drain.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AskError) || judge(error.fault).blame !== 'service') throw error
      const { retryAfter } = error.fault
      const wait = retryAfter === undefined ? backoffMs(failures, random()) : retryAfter * 1000
      failed?.(error, wait)
      await clock.sleep(wait, drain)
    }
  }
}
