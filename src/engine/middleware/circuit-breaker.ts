import { WaitTooLongError } from '../../core/errors/run-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'

/**
 * Stops all requests during an outage or a 429 pause. One request that meets either opens the breaker for
 * all.
 */
export interface CircuitBreaker {
  /**
   * Returns the milliseconds until a request may be sent: 0 if immediately, infinite while the probe is in
   * flight.
   */
  getBlockedMs(): number
  /**
   * Admits a request. Call it only if `getBlockedMs` has just returned 0, and end every admission with one of
   * its methods.
   */
  admit(): Admission
}

export interface Admission {
  /** The API answered, and the answer is no reason to pause. */
  recordSuccess(): void
  /** The request was abandoned, so another request has to probe. */
  release(): void
  /**
   * The API refused the request because of a rate limit or an outage.
   * @param waitMs the wait that the API asks for, in milliseconds; undefined if it names none
   * @param reason a description of the error, for the progress display
   * @returns milliseconds until the next request may be sent
   * @throws WaitTooLongError if the total wait would be longer than the user allows
   */
  recordFailure(waitMs: number | undefined, reason: string): number
}

interface Pause {
  /** Length of the pause in milliseconds. */
  readonly ms: number
  /** The number of pauses in the current outage, including this one. */
  readonly consecutivePauses: number
  readonly reason: string
}

export interface CircuitBreakerOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly maxWaitMs: number
  /** Called once per pause. */
  readonly onPause?: (pause: Pause) => void
}

/**
 * Returns a circuit breaker. After a pause it lets one request through, as a probe; the others follow when
 * the probe succeeds. So an outage that continues costs one request per pause, not one per permit.
 */
export function createCircuitBreaker({
  clock,
  random,
  maxWaitMs,
  onPause,
}: CircuitBreakerOptions): CircuitBreaker {
  let retryAt = 0
  /** When the current outage began (monotonic ms); undefined while the API responds. */
  let outageStartedAt: number | undefined
  /** The number of all pauses, which distinguishes late answers from new ones. */
  let pauseCount = 0
  /** The number of pauses in the current outage. */
  let consecutivePauses = 0
  let isProbing = false

  return {
    getBlockedMs() {
      const remainingMs = retryAt - clock.now()
      if (remainingMs > 0) return remainingMs
      return outageStartedAt !== undefined && isProbing ? Number.POSITIVE_INFINITY : 0
    },
    admit() {
      isProbing = outageStartedAt !== undefined
      const pauseAtAdmission = pauseCount
      return {
        recordSuccess() {
          // An answer to a request that was sent before the pause does not show that the outage is over.
          if (pauseAtAdmission !== pauseCount) return
          outageStartedAt = undefined
          consecutivePauses = 0
          isProbing = false
        },
        release() {
          if (pauseAtAdmission === pauseCount) isProbing = false
        },
        recordFailure(waitMs, reason) {
          const now = clock.now()
          outageStartedAt ??= now
          const isNewPause = pauseAtAdmission === pauseCount
          if (isNewPause) {
            pauseCount++
            consecutivePauses++
          }
          // Up to 10% more than the API asks for, so that many clients do not retry at the same instant.
          const pauseMs =
            waitMs === undefined
              ? Math.min(
                  computeBackoffMs(consecutivePauses, random()),
                  computeMaxPauseMs(now - outageStartedAt),
                )
              : waitMs * (1 + random() / 10)
          // The limit is compared with the wait that the API asks for, without the 10%.
          const requestedMs = waitMs ?? pauseMs
          if (requestedMs > maxWaitMs || now + requestedMs - outageStartedAt > maxWaitMs) {
            isProbing = false
            throw new WaitTooLongError(waitMs, now - outageStartedAt, maxWaitMs, reason)
          }
          if (isNewPause) onPause?.({ ms: pauseMs, consecutivePauses, reason })
          if (isNewPause || waitMs !== undefined) retryAt = Math.max(retryAt, now + pauseMs)
          if (isNewPause) isProbing = false
          return Math.max(0, retryAt - now)
        },
      }
    },
  }
}

/**
 * Returns the maximum pause: a tenth of the outage so far, at least 1 second, to notice the end of an outage
 * soon.
 */
function computeMaxPauseMs(outageMs: number): number {
  return Math.max(1000, outageMs / 10)
}
