import type { Client as ClaudeClient } from '../claude/client.ts'
import { endpointIn } from '../claude/environment.ts'
import { paceSettings } from '../config/model-settings.ts'
import { defaultModel, modelId } from '../core/pricing/models.ts'
import { picodollars, pricesWith } from '../core/pricing/price.ts'
import type { Clock } from '../core/rate-limit/clock.ts'
import type { Ask } from '../core/request/ask.ts'
import { stacked } from '../engine/middleware/compose.ts'
import type { Slots } from '../engine/middleware/semaphore.ts'
import { createPurse } from '../engine/middleware/with-budget.ts'
import { createHalt } from '../engine/shutdown.ts'
import { surroundings } from '../runtime.ts'
import { closedError } from './error.ts'
import { wholePrices } from './library-prices.ts'
import { type ClientOptions, defaults } from './options.ts'

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
