import type { PriceOf } from '../../core/pricing/price.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import type { RateLimitSettings } from '../../core/rate-limit/rate-limit-settings.ts'
import type { Ask } from '../../core/request/ask.ts'
import { createHealth } from './api-health.ts'
import { createGate, type GateOptions } from './circuit-breaker.ts'
import { createSlots, type Slots } from './semaphore.ts'
import { follow } from './track-document.ts'
import { type Listener, recorded } from './with-attempt-log.ts'
import type { Purse } from './with-budget.ts'
import { createPace, type Pace } from './with-rate-limit.ts'
import { retrying } from './with-retry.ts'

export interface StackOptions extends RateLimitSettings {
  /** See {@link retrying}. */
  readonly retries: number
  /** A wait longer than this is not waited: milliseconds. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: nothing more is sent. */
  readonly drain: AbortSignal
  readonly listener: Listener
  /** What answers cost; by the table, if left out. */
  readonly priceOf?: PriceOf
  /** What may be spent; no bounds, if left out. */
  readonly purse?: Purse | undefined
  readonly onPause?: NonNullable<GateOptions['onPause']>
}

export interface Stack {
  /** Asks, at the pace that all share; to be called with one of the slots in hand. */
  readonly ask: Ask
  /** The same for one of several who share it and stop each at a time of his own. */
  until(drain: AbortSignal): Ask
  readonly slots: Slots
  readonly pace: Pace
}

/** The layers around a client, in the order they work in, with the slots and the pace they keep. */
export function stacked(client: Ask, options: StackOptions): Stack {
  const { clock, listener, purse } = options
  const gate = createGate(options)
  const health = createHealth(options.slots, clock)
  const pace = createPace({
    ...options,
    gate,
    follow: () => follow({ ...options, health, gate }),
    mostSlots: options.slots.most,
  })
  const slots = createSlots(health.slots)
  const sender = recorded(client, clock, listener, options.priceOf)
  const until = (drain: AbortSignal) => {
    const forDocument = () => {
      const paced = pace.paced(sender, drain)
      return purse?.within(paced, drain) ?? paced
    }
    return retrying(forDocument, { ...options, drain, slots })
  }
  return { ask: until(options.drain), until, slots, pace }
}
