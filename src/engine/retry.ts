import pRetry from 'p-retry'
import type { Ask } from '../core/ask.ts'
import type { Attempt } from '../core/attempt.ts'
import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { duration } from '../core/duration.ts'
import { AskError, judge, StoppedError } from '../core/failure.ts'
import { RunError } from '../errors.ts'
import { underBoth } from './under-both.ts'

export interface RetryOptions {
  /** Sendings beyond the first that a transient fault may use up. */
  readonly retries: number
  /** A longer wait than this ends the run instead of being slept through. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: no further sending, not even of what failed. */
  readonly drain: AbortSignal
}

/**
 * The one retry layer: sends again only what a retry can cure, after a backoff with full jitter or as long as the
 * service asks. Where the service refused everybody (a 429, an outage) no attempt is used up, and the wait is the
 * pace's, which lets nobody out until it is over.
 *
 * What somebody has read the beginning of is not asked again.
 *
 * Rejects with an `AskError` that carries every sending; with a `RunError` where the wait would be too long, or the
 * reason of `drain` where it was told not to send again, each in a `StoppedError` once something was sent.
 */
export function retrying(ask: Ask, { retries, maxWaitMs, clock, random, drain }: RetryOptions): Ask {
  return async (request, signal, watch) => {
    const before: Attempt[] = []
    let shown = false
    const watched =
      watch &&
      ((piece: string) => {
        shown = true
        watch(piece)
      })

    const send = async (attempt: number) => {
      drain.throwIfAborted()
      try {
        const reply = await ask({ ...request, attempt }, signal, watched)
        return { ...reply, attempts: [...before, ...reply.attempts] }
      } catch (error) {
        if (error instanceof AskError || error instanceof StoppedError) before.push(...error.attempts)
        throw error
      }
    }

    try {
      return await pRetry(send, {
        // Counted here: p-retry gives up on its own count even where a failure was free.
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 0,
        // Consumed also where it is never retried: p-retry would repeat a TypeError for ever that uses nothing up.
        shouldConsumeRetry: ({ error }) => !(error instanceof AskError && error.free),
        shouldRetry: async ({ error, retriesConsumed }) => {
          if (!(error instanceof AskError)) return false
          const { retry } = judge(error.fault)
          if (retry === 'never' || shown) return false
          drain.throwIfAborted()
          if (error.free) return true
          if (retriesConsumed >= retries) return false
          const asked = milliseconds(error)
          if ((asked ?? 0) > maxWaitMs) {
            const wait = `the service asks to wait ${duration(asked ?? 0)}, longer than --max-wait ${duration(maxWaitMs)}`
            throw new RunError('later', `${wait}; run the same command again later`)
          }
          const wait = asked ?? backoffMs(retriesConsumed + 1, random())
          await underBoth(drain, signal, (either) => clock.sleep(wait, either))
          return true
        },
      })
    } catch (error) {
      if (error instanceof AskError) throw new AskError(error.fault, before)
      const cause = error instanceof StoppedError ? error.cause : error
      const told = cause instanceof RunError || cause === drain.reason || cause === signal.reason
      throw told && before.length > 0 ? new StoppedError(cause as Error, before) : cause
    }
  }
}

function milliseconds({ fault }: AskError): number | undefined {
  return fault.retryAfter === undefined ? undefined : fault.retryAfter * 1000
}
