import type { SummarizeOptions } from '../config/flags.ts'
import { paceSettings } from '../config/model-settings.ts'
import type { Counted } from '../core/document/count-with-example.ts'
import type { Source } from '../core/document/document.ts'
import { unchanged } from '../core/document/overwrite-policy.ts'
import type { Ask } from '../core/request/ask.ts'
import { createTally, type Tally } from '../core/run/run-stats.ts'
import { stacked } from '../engine/middleware/compose.ts'
import type { Slots } from '../engine/middleware/semaphore.ts'
import type { Pace } from '../engine/middleware/with-rate-limit.ts'
import type { Halt } from '../engine/shutdown.ts'
import type { World } from '../runtime.ts'
import type { AttemptLog } from '../sinks/request-log.ts'
import { createTeller, type Teller } from '../ui/teller.ts'
import type { Money } from './pricing.ts'

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
