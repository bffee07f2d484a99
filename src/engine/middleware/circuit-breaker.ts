import { backoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import { duration } from '../../core/text/format-duration.ts'
import { RunError } from '../../errors.ts'

/** A service that is rate limited or down is so for everybody: one request that meets it closes the gate for all. */
export interface Gate {
  /** Milliseconds until a request may go through; 0: now; infinite: not before the probe in flight is settled. */
  closedFor(): number
  /** Goes through, right after `closedFor` was 0. Every pass must be settled, one way or the other. */
  enter(): Pass
}

export interface Pass {
  /** The service answered in some way that is no reason to wait. */
  admitted(): void
  /** Nobody waits for its answer any more: another has to find out. */
  left(): void
  /**
   * It refused, asking for so many milliseconds (undefined: it did not say).
   * @param why in words, for whoever waits
   * @returns milliseconds until the next request may go through
   * @throws RunError `later`, when the wait as a whole would be longer than the user allows
   */
  refused(waitMs: number | undefined, why: string): number
}

interface Pause {
  /** Its length. */
  readonly ms: number
  /** How many there were in the present trouble, this one included. */
  readonly inARow: number
  readonly why: string
}

export interface GateOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly maxWaitMs: number
  /** Told once per pause. */
  readonly onPause?: (pause: Pause) => void
}

/**
 * After a pause one request goes first, as a probe; the others follow once it was admitted. So trouble that is still
 * on is met once per pause, not once per slot.
 */
export function createGate({ clock, random, maxWaitMs, onPause }: GateOptions): Gate {
  let openAt = 0
  /** When the present trouble began; undefined while all is well. */
  let since: number | undefined
  /** Counts all pauses, so that late answers can be told from fresh ones. */
  let pauses = 0
  /** In the present trouble. */
  let inARow = 0
  let probing = false

  return {
    closedFor() {
      const left = openAt - clock.now()
      if (left > 0) return left
      return since !== undefined && probing ? Number.POSITIVE_INFINITY : 0
    },
    enter() {
      probing = since !== undefined
      const pause = pauses
      return {
        admitted() {
          // An answer to something sent before the pause says nothing about whether it is over.
          if (pause !== pauses) return
          since = undefined
          inARow = 0
          probing = false
        },
        left() {
          if (pause === pauses) probing = false
        },
        refused(waitMs, why) {
          const now = clock.now()
          since ??= now
          const fresh = pause === pauses
          if (fresh) {
            pauses++
            inARow++
          }
          // Up to a tenth more than asked, so that many clients do not come back in the same instant.
          const wait =
            waitMs === undefined
              ? Math.min(backoffMs(inARow, random()), longestPauseMs(now - since))
              : waitMs * (1 + random() / 10)
          // The little extra is ours, not the service's.
          const asked = waitMs ?? wait
          if (asked > maxWaitMs || now + asked - since > maxWaitMs) {
            probing = false
            throw new RunError('later', tooLong(waitMs, now - since, maxWaitMs, why))
          }
          if (fresh) onPause?.({ ms: wait, inARow, why })
          if (fresh || waitMs !== undefined) openAt = Math.max(openAt, now + wait)
          if (fresh) probing = false
          return Math.max(0, openAt - now)
        },
      }
    },
  }
}

/** However long the trouble lasts, its end should not be slept through: at most a tenth of it so far, or a second. */
function longestPauseMs(troubleMs: number): number {
  return Math.max(1000, troubleMs / 10)
}

function tooLong(askedMs: number | undefined, soFarMs: number, maxWaitMs: number, why: string): string {
  const limit = `--max-wait ${duration(maxWaitMs)}`
  const trouble = soFarMs > 1000 ? ` after ${duration(soFarMs)} of trouble` : ''
  const what =
    askedMs === undefined
      ? `gave up on the service${trouble} (${limit})`
      : `the service wants a pause of ${duration(askedMs)}${trouble}, longer than ${limit}`
  return `${what}: ${why}; run the same command again later`
}
