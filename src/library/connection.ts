import type { Client as ClaudeClient } from '../claude/client.ts'
import { endpointIn } from '../claude/environment.ts'
import { paceSettings } from '../commands/settings.ts'
import type { Ask } from '../core/ask.ts'
import type { Clock } from '../core/clock.ts'
import { defaultModel, modelId } from '../core/models.ts'
import { picodollars, pricesWith } from '../core/price.ts'
import { createPurse } from '../engine/budgeted.ts'
import { createHalt } from '../engine/halt.ts'
import type { Slots } from '../engine/slots.ts'
import { stacked } from '../engine/stack.ts'
import { surroundings } from '../world.ts'
import { closedError } from './error.ts'
import { type ClientOptions, defaults } from './options.ts'
import { wholePrices } from './price.ts'

/** What is behind a client: one set of connections, slots and limits for everything that is asked through it. */
export interface Connection {
  readonly wishes: Pick<ClientOptions, 'model' | 'maxTokens' | 'effort'>
  readonly clock: Clock
  /**
   * Gets ready to ask, the first time it is called.
   * @returns the base URL that is asked
   * @throws UsageError without usable credentials
   */
  open(): Promise<string>
  /** Asks, when the limits allow, until `drain` aborts; to be called with one of the slots in hand. */
  until(drain: AbortSignal): Ask
  readonly slots: Slots
  /** Aborted: it was closed. */
  readonly closed: AbortSignal
  /** Cuts whatever is under way, and all connections. */
  close(): Promise<void>
}

/** The API ends its own long requests at about this. */
const longestRequestMs = 600_000

export function connect(options: ClientOptions): Connection {
  const { clock, random, env: processEnv } = surroundings()
  const { env = processEnv, allowHttp = [], model, maxTokens, effort } = options
  const halt = createHalt()
  let opening: Promise<ClaudeClient> | undefined

  const load = async () => {
    endpointIn(env, allowHttp)
    const { createClient } = await import('../claude/client.ts')
    return createClient({
      clock,
      env,
      allowHttp,
      connectTimeoutMs: options.connectTimeoutMs ?? defaults.connectTimeoutMs,
      idleTimeoutMs: options.timeoutMs ?? defaults.timeoutMs,
      idleTimeoutSetting: 'timeoutMs',
      totalTimeoutMs: longestRequestMs,
    })
  }
  const opened = async () => {
    halt.drain.throwIfAborted()
    opening ??= load().catch((error: unknown) => {
      // A key may be there the next time.
      opening = undefined
      throw error
    })
    return opening
  }

  const priceOf = pricesWith(wholePrices(options.prices ?? {}))
  const { maxCostUsd } = options
  const { until, slots } = stacked(async (...request) => (await opened()).ask(...request), {
    ...paceSettings(
      {
        rpm: options.rpm,
        itpm: options.itpm,
        otpm: options.otpm,
        latency: options.latencyMs === undefined ? undefined : options.latencyMs / 1000,
        concurrency: options.concurrency,
      },
      modelId(model ?? defaultModel),
    ),
    retries: options.retries ?? defaults.retries,
    maxWaitMs: options.maxWaitMs ?? defaults.maxWaitMs,
    clock,
    random,
    drain: halt.drain,
    priceOf,
    purse: maxCostUsd === undefined ? undefined : createPurse(picodollars(maxCostUsd), priceOf),
    listener: { sent() {}, ended() {} },
  })

  return {
    wishes: { model, maxTokens, effort },
    clock,
    open: async () => (await opened()).endpoint,
    until,
    slots,
    closed: halt.abort,
    async close() {
      halt.abandon(closedError())
      await opening?.then(
        (client) => client.close(),
        () => {},
      )
    },
  }
}
