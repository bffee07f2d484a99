import pRetry from 'p-retry'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { judge } from '../../core/errors/classify-error.ts'
import { failureLine, failureOf } from '../../core/errors/failure.ts'
import { askedMs, isUnreachable } from '../../core/errors/request-error.ts'
import { backoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import { printable } from '../../core/text/escape-control.ts'
import { RunError } from '../../errors.ts'
import { underBoth } from '../with-any-signal.ts'
import type { Slots } from './semaphore.ts'

export interface RetryOptions {
  /** Sendings beyond the first that a transient fault may use up. */
  readonly retries: number
  /** A document that is asked to wait longer than this is given up: milliseconds. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: no further sending, not even of what failed. */
  readonly drain: AbortSignal
  /** Those one of which is in hand: waits are spent without it, so that nobody else has to wait. */
  readonly slots: Pick<Slots, 'aside' | 'morePlaces'>
}

/**
 * The one retry layer: sends again only what a retry can cure, after a backoff with full jitter or as long as the
 * service asks; others are served meanwhile. Where the service refused everybody (a 429, an outage) no attempt is used
 * up, and how long to wait was decided before (see `engine/middleware/track-document.ts`).
 *
 * What somebody has read the beginning of is not asked again.
 *
 * Rejects with an `AskError` that carries every sending; with a `RunError` where the service cannot be reached, or the
 * reason of `drain` where it was told not to send again, each in a `StoppedError` once something was sent.
 * @param forDocument makes the `Ask` for all sendings of one request
 */
export function retrying(
  forDocument: () => Ask,
  { retries, maxWaitMs, clock, random, drain, slots }: RetryOptions,
): Ask {
  return async (request, signal, watch) => {
    const ask = forDocument()
    const before: Attempt[] = []
    let shown = false
    let settled: (() => void) | undefined
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
        shouldConsumeRetry: ({ error }) => !(error instanceof AskError && error.again.free),
        shouldRetry: async ({ error, retriesConsumed }) => {
          if (!(error instanceof AskError)) return false
          const { fault, again } = error
          if (shown || (judge(fault).retry === 'never' && !again.isSecondTry)) return false
          drain.throwIfAborted()
          if (!again.free && retriesConsumed >= retries) return false
          const wait = again.waitMs ?? askedMs(fault) ?? backoffMs(retriesConsumed + 1, random())
          if (wait > maxWaitMs) return false
          if (wait === 0) return true
          settled ??= slots.morePlaces()
          await underBoth(drain, signal, (either) => slots.aside(() => clock.sleep(wait, either), either))
          return true
        },
      })
    } catch (error) {
      if (error instanceof AskError) {
        const all = new AskError(error.fault, before)
        throw isUnreachable(error.fault) ? new StoppedError(unreachable(all), before) : all
      }
      const cause = error instanceof StoppedError ? error.cause : error
      const told = cause instanceof RunError || cause === drain.reason || cause === signal.reason
      throw told && before.length > 0 ? new StoppedError(cause as Error, before) : cause
    } finally {
      settled?.()
    }
  }
}

/** No document is to blame for it, so it ends the run, which has nothing else to do. */
function unreachable(error: AskError): RunError {
  const what = printable(failureLine(failureOf(error.fault)))
  return new RunError('later', `cannot reach the service: ${what}; run the same command again later`, {
    cause: error,
  })
}
