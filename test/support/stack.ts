import type { Ask } from '../../src/core/ask.ts'
import type { LimitRates } from '../../src/core/pace.ts'
import { createGate } from '../../src/engine/gate.ts'
import { createHalt, type Halt } from '../../src/engine/halt.ts'
import { createPace, type Pace } from '../../src/engine/pace.ts'
import { recorded } from '../../src/engine/recorded.ts'
import { retrying } from '../../src/engine/retry.ts'
import { requestFor } from './scripted-ask.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

export interface Stack {
  readonly clock: VirtualClock
  readonly halt: Halt
  readonly pace: Pace
  /** The lengths of the pauses that were told, in ms. */
  readonly pauses: readonly number[]
  ask(path?: string): ReturnType<Ask>
}

export interface StackOptions {
  readonly retries?: number
  readonly maxWaitMs?: number
  readonly random?: () => number
  readonly given?: LimitRates
  readonly clock?: VirtualClock
}

/** The layers as a run stacks them, around a scripted ask, with all time virtual and all jitter at its longest. */
export function stack(service: Ask, options: StackOptions = {}): Stack {
  const { retries = 3, maxWaitMs = 600_000, random = () => 1, given = {}, clock = virtualClock() } = options
  const halt = createHalt()
  const pauses: number[] = []
  const gate = createGate({ clock, random, maxWaitMs, onPause: ({ ms }) => pauses.push(ms) })
  const slots = { first: 8, most: 256 }
  const pace = createPace({ given, slots, charactersPerToken: 2.5, gate, clock, drain: halt.drain })
  const counted = recorded(service, clock, { sent() {}, ended() {} })
  const ask = retrying(pace.paced(counted), { retries, maxWaitMs, clock, random, drain: halt.drain })
  return { clock, halt, pace, pauses, ask: (path = 'a.md') => ask(requestFor(path), halt.abort) }
}
