import type { Ask } from '../core/ask.ts'
import type { Clock } from '../core/clock.ts'
import type { PriceOf } from '../core/price.ts'
import type { Purse } from './budgeted.ts'
import { createGate, type GateOptions } from './gate.ts'
import { createPace, type Pace, type PaceOptions } from './pace.ts'
import { type Listener, recorded } from './recorded.ts'
import { retrying } from './retry.ts'

export interface StackOptions extends Pick<PaceOptions, 'given' | 'slots' | 'charactersPerToken'> {
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
  readonly ask: Ask
  /** The same, at the same pace, for one of several who share it and stop each at a time of his own. */
  until(drain: AbortSignal): Ask
  readonly pace: Pace
}

/** The layers around a client, in the order they work in, and the pace they keep. */
export function stacked(client: Ask, options: StackOptions): Stack {
  const { clock, listener, purse } = options
  const gate = createGate(options)
  const pace = createPace({ ...options, gate })
  const sender = recorded(client, clock, listener, options.priceOf)
  const until = (drain: AbortSignal) => {
    const paced = pace.paced(sender, drain)
    return retrying(purse?.within(paced, drain) ?? paced, { ...options, drain })
  }
  return { ask: until(options.drain), until, pace }
}
