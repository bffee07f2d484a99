import type { SummarizeOptions } from '../config/flags.ts'
import type { Ask } from '../core/ask.ts'
import type { Counted } from '../core/counted.ts'
import type { Source } from '../core/document.ts'
import { createTally, type Tally } from '../core/report.ts'
import { unchanged } from '../core/standing.ts'
import type { Halt } from '../engine/halt.ts'
import type { Pace } from '../engine/pace.ts'
import type { Slots } from '../engine/slots.ts'
import { stacked } from '../engine/stack.ts'
import type { AttemptLog } from '../sinks/log.ts'
import { createTeller, type Teller } from '../ui/teller.ts'
import type { World } from '../world.ts'
import type { Money } from './money.ts'
import { paceSettings } from './settings.ts'

export interface WatchedOptions {
  readonly options: SummarizeOptions
  readonly world: World
  readonly halt: Halt
  readonly money: Money
  readonly log: AttemptLog | undefined
  /** That will be asked, or the first of them. */
  readonly model: string
  /** How many documents there are to do. */
  readonly total: number
  /** Documents whose summary stands. */
  readonly done: readonly Source[]
  /** Documents that were found and left out, by the reason. */
  readonly skipped?: ReadonlyMap<string, Counted> | undefined
  /** By the clock: milliseconds. */
  readonly start: number
}

/** A stack with all that watches it. */
export interface Watched {
  /** To be called with one of the slots in hand. */
  readonly ask: Ask
  readonly slots: Slots
  readonly pace: Pace
  readonly tally: Tally
  readonly teller: Teller
}

/** Stacks the layers around a client, if one is needed, and has every sending added up, logged and shown. */
export function watched(
  client: Ask | undefined,
  { options, world, halt, money, log, model, total, done, skipped, start }: WatchedOptions,
): Watched {
  const { clock, random, stderr, env } = world
  const tally = createTally(skipped)
  for (const source of done) tally.outcome({ source, attempts: [], elapsedMs: 0, ...unchanged })
  const { ask, slots, pace } = stacked(client ?? nothingToAsk, {
    ...paceSettings(options, model),
    ...money,
    retries: options.retries,
    maxWaitMs: options.maxWait * 1000,
    clock,
    random,
    drain: halt.drain,
    onPause: (pause) => teller.paused(pause),
    listener: {
      sent: () => teller.sent(),
      ended(attempt) {
        tally.attempt(attempt)
        log?.attempt(attempt)
        teller.ended(attempt)
      },
    },
  })
  const teller = createTeller({
    stderr,
    env,
    ...options,
    total,
    tally,
    waitingFor: () => pace.account().latest,
    elapsed: () => clock.now() - start,
  })
  return { ask, slots, pace, tally, teller }
}

const nothingToAsk: Ask = () => Promise.reject(new Error('there was nothing to ask'))
