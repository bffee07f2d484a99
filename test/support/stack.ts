import type { LimitRates } from '../../src/core/rate-limit/limiter-state.ts'
import type { Ask, Watch } from '../../src/core/request/ask.ts'
import type { Request } from '../../src/core/request/request.ts'
import { stacked } from '../../src/engine/middleware/compose.ts'
import type { Slots } from '../../src/engine/middleware/semaphore.ts'
import type { Pace } from '../../src/engine/middleware/with-rate-limit.ts'
import { createHalt, type Halt } from '../../src/engine/shutdown.ts'
import { requestFor } from './scripted-ask.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

export interface Stack {
  readonly clock: VirtualClock
  readonly halt: Halt
  readonly pace: Pace
  readonly slots: Slots
  /** To be called with one of the slots in hand. */
  readonly bare: Ask
  /** The lengths of the pauses that were told, in ms. */
  readonly pauses: readonly number[]
  ask(
    path?: string,
    as?: { readonly signal?: AbortSignal; readonly watch?: Watch; readonly fields?: Partial<Request> },
  ): ReturnType<Ask>
}

export interface StackOptions {
  readonly retries?: number
  readonly maxWaitMs?: number
  readonly random?: () => number
  readonly given?: LimitRates
  readonly slots?: { readonly first: number; readonly most: number }
  readonly clock?: VirtualClock
}

/** The layers as a run stacks them, around a scripted ask, with all time virtual and all jitter at its longest. */
export function stack(service: Ask, options: StackOptions = {}): Stack {
  const { retries = 3, maxWaitMs = 600_000, random = () => 1, given = {}, clock = virtualClock() } = options
  const halt = createHalt()
  const pauses: number[] = []
  const {
    ask: bare,
    slots,
    pace,
  } = stacked(service, {
    given,
    slots: options.slots ?? { first: 8, most: 256 },
    charactersPerToken: 2.5,
    retries,
    maxWaitMs,
    clock,
    random,
    drain: halt.drain,
    listener: { sent() {}, ended() {} },
    onPause: ({ ms }) => pauses.push(ms),
  })
  const ask = slots.lend(bare, halt.drain)
  return {
    clock,
    halt,
    pace,
    slots,
    bare,
    pauses,
    ask: (path = 'a.md', { signal = halt.abort, watch, fields } = {}) =>
      ask(requestFor(path, fields), signal, watch),
  }
}
