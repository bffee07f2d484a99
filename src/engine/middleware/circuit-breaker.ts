import { WaitTooLongError } from '../../core/errors/run-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'

/** A rate limit or an outage concerns all requests, so one request that meets it opens the circuit breaker for all. */
export interface CircuitBreaker {
  /** Milliseconds until a request may go through; 0: now; infinite: not before the probe in flight is settled. */
  getBlockedMs(): number
  /** Goes through, right after `getBlockedMs` was 0. Every admission must end, one way or the other. */
  admit(): Admission
}

export interface Admission {
  /** The service answered in some way that is no reason to wait. */
  recordSuccess(): void
  /** Nobody waits for its answer any more: another has to find out. */
  release(): void
  /**
   * It refused, asking for so many milliseconds (undefined: it did not say).
   * @param why in words, for whoever waits
   * @returns milliseconds until the next request may go through
   * @throws WaitTooLongError when the wait as a whole would be longer than the user allows
   */
  recordFailure(waitMs: number | undefined, why: string): number
}

interface Pause {
  /** Its length. */
  readonly ms: number
  /** How many there were in the present trouble, this one included. */
  readonly consecutivePauses: number
  readonly reason: string
}

export interface CircuitBreakerOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly maxWaitMs: number
  /** Told once per pause. */
  readonly onPause?: (pause: Pause) => void
}

/**
 * After a pause one request goes first, as a probe; the others follow once it was admitted. So trouble that is still
 * on is met once per pause, not once per permit.
 */
export function createCircuitBreaker({
  clock,
  random,
  maxWaitMs,
  onPause,
}: CircuitBreakerOptions): CircuitBreaker {
  let retryAt = 0
  /** When the present trouble began; undefined while all is well. */
  let outageStartedAt: number | undefined
  /** Counts all pauses, so that late answers can be told from fresh ones. */
  let pauseCount = 0
  /** In the present trouble. */
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
          // An answer to something sent before the pause says nothing about whether it is over.
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
          // Up to a tenth more than asked, so that many clients do not come back in the same instant.
          const pauseMs =
            waitMs === undefined
              ? Math.min(
                  computeBackoffMs(consecutivePauses, random()),
                  computeMaxPauseMs(now - outageStartedAt),
                )
              : waitMs * (1 + random() / 10)
          // The little extra is ours, not the service's.
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

/** However long the trouble lasts, its end should not be slept through: at most a tenth of it so far, or a second. */
function computeMaxPauseMs(outageMs: number): number {
  return Math.max(1000, outageMs / 10)
}
