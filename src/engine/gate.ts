import { EventEmitter, once } from 'node:events'
import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { duration } from '../core/duration.ts'
import { RunError } from '../errors.ts'

/** A rate limit holds for everybody: one request that meets it closes the gate for all. */
export interface Gate {
  /** Waits until sending is allowed; rejects with the signal's reason. Every pass must be settled, one way or the other. */
  pass(signal: AbortSignal): Promise<Pass>
}

interface Pass {
  /** The service answered something other than a rate limit. */
  admitted(): void
  /**
   * It answered 429, asking for so many milliseconds (undefined: it did not say).
   * @throws RunError `later`, when the wait as a whole would be longer than the user allows
   */
  limited(waitMs: number | undefined): void
}

export interface GateOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly maxWaitMs: number
  /** Told once per pause, with its length. */
  readonly onPause?: (ms: number) => void
}

/**
 * After a pause one request goes first, as a probe; the others follow once it was admitted. So a limit that is still
 * on is met once per pause, not once per slot.
 */
export function createGate({ clock, random, maxWaitMs, onPause }: GateOptions): Gate {
  let openAt = 0
  /** When the present run of 429s began; undefined while all is well. */
  let limitedSince: number | undefined
  let pauses = 0
  let probing = false
  const news = new EventEmitter().setMaxListeners(0)

  const settle = () => {
    probing = false
    news.emit('settled')
  }

  return {
    async pass(signal) {
      while (true) {
        signal.throwIfAborted()
        if (clock.now() < openAt) await clock.sleep(openAt - clock.now(), signal)
        else if (limitedSince !== undefined && probing)
          await once(news, 'settled', { signal }).catch(() => signal.throwIfAborted())
        else break
      }
      probing = limitedSince !== undefined
      const pause = pauses
      return {
        admitted() {
          // An answer to something sent before the pause says nothing about whether it is over.
          if (pause !== pauses) return
          limitedSince = undefined
          settle()
        },
        limited(waitMs) {
          const now = clock.now()
          limitedSince ??= now
          const fresh = pause === pauses
          if (fresh) pauses++
          // Up to a tenth more than asked, so that many clients do not come back in the same instant.
          const wait =
            waitMs === undefined ? backoffMs(Math.min(pauses, 6), random()) : waitMs * (1 + random() / 10)
          if ((waitMs ?? 0) > maxWaitMs || now + wait - limitedSince > maxWaitMs) {
            settle()
            throw new RunError('later', tooLong(waitMs ?? wait, now - limitedSince, maxWaitMs))
          }
          if (fresh) onPause?.(wait)
          if (fresh || waitMs !== undefined) openAt = Math.max(openAt, now + wait)
          if (fresh) settle()
        },
      }
    },
  }
}

function tooLong(waitMs: number, soFarMs: number, maxWaitMs: number): string {
  const asked = `the service is rate limited and asks to wait ${duration(waitMs)}`
  const already = soFarMs > 1000 ? ` after ${duration(soFarMs)} of waiting` : ''
  return `${asked}${already}, longer than --max-wait ${duration(maxWaitMs)}; run the same command again later`
}
