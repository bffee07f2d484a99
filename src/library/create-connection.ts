import { readBaseUrl } from '../claude/api-environment.ts'
import type { ClaudeClient, ClaudeClientOptions } from '../claude/claude-client.ts'
import type { SdkClientContext } from '../claude/sdk-client.ts'
import { toRateLimitSettings } from '../config/model-settings.ts'
import { defaultModel, resolveModelAlias } from '../core/pricing/models.ts'
import { createPriceOf, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Clock } from '../core/run/clock.ts'
import { composeAsk } from '../engine/middleware/compose.ts'
import type { Semaphore } from '../engine/middleware/semaphore.ts'
import { createSharedBudget } from '../engine/middleware/shared-budget.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { createLibraryRuntime } from '../runtime.ts'
import { type ClientOptions, defaultOptions } from './client-options.ts'
import { listClientSecrets, observeClient } from './client-secrets.ts'
import { createClosedError } from './library-error.ts'
import { completePrices } from './library-prices.ts'

/** The parts that all requests of a client share: connections, semaphore and rate limiter. */
export interface Connection {
  readonly overrides: Pick<ClientOptions, 'model' | 'maxTokens' | 'effort'>
  readonly clock: Clock
  /**
   * Loads the API client on the first call.
   * @returns the base URL in use
   * @throws UsageError without usable credentials
   */
  open(): Promise<string>
  /**
   * Returns an `Ask` that sends requests when the rate limits allow, until `drain` aborts. The caller holds a
   * permit.
   */
  withDrain(drain: AbortSignal): Ask
  readonly semaphore: Semaphore
  /** Aborted when the connection is closed. */
  readonly closed: AbortSignal
  /** Cancels all requests in flight and closes all connections. */
  close(): Promise<void>
}

/** The setting's name in messages, followed by a host. */
const allowHttpSetting = 'allowHttp:'

/** The API ends long requests after about this time. */
const totalTimeoutMs = 600_000

export function createConnection(options: ClientOptions): Connection {
  const { clock, random, env: processEnv } = createLibraryRuntime()
  const { env = processEnv, allowHttp = [], model, maxTokens, effort } = options
  const shutdown = createShutdown()
  let clientPromise: Promise<ClaudeClient> | undefined

  const loadClient = async () => {
    if (options.client === undefined) readBaseUrl(env, allowHttp, allowHttpSetting)
    const { createClaudeClient } = await import('../claude/claude-client.ts')
    return createClaudeClient({
      clock,
      env,
      allowHttp,
      connectTimeoutMs: options.connectTimeoutMs ?? defaultOptions.connectTimeoutMs,
      idleTimeoutMs: options.timeoutMs ?? defaultOptions.timeoutMs,
      settingNames: { idleTimeout: 'timeoutMs', allowHttp: allowHttpSetting },
      totalTimeoutMs,
      ...readOwnTransport(options),
    })
  }
  const getClient = async () => {
    shutdown.drainSignal.throwIfAborted()
    clientPromise ??= loadClient().catch((error: unknown) => {
      // Credentials may be available at the next call.
      clientPromise = undefined
      throw error
    })
    return clientPromise
  }

  const priceOf = createPriceOf(completePrices(options.prices ?? {}))
  const { maxCostUsd } = options
  const { withDrain, semaphore } = composeAsk(async (...request) => (await getClient()).ask(...request), {
    ...toRateLimitSettings(
      {
        rpm: options.rpm,
        itpm: options.itpm,
        otpm: options.otpm,
        concurrency: options.concurrency,
      },
      resolveModelAlias(model ?? defaultModel),
      options.latencyMs === undefined ? {} : { latency: options.latencyMs / 1000 },
    ),
    retries: options.retries ?? defaultOptions.retries,
    maxWaitMs: options.maxWaitMs ?? defaultOptions.maxWaitMs,
    clock,
    random,
    drainSignal: shutdown.drainSignal,
    priceOf,
    budget: maxCostUsd === undefined ? undefined : createSharedBudget(usdToPicodollars(maxCostUsd), priceOf),
    listener: { onSend() {}, onEnd() {} },
  })

  return {
    overrides: { model, maxTokens, effort },
    clock,
    open: async () => (await getClient()).baseUrl,
    withDrain,
    semaphore,
    closed: shutdown.abortSignal,
    async close() {
      shutdown.abort(createClosedError())
      await clientPromise?.then(
        (client) => client.close(),
        () => {},
      )
    },
  }
}

/** Returns the settings for a client or a `fetch` of the caller. They do not know the idle timeout. */
function readOwnTransport({ client, fetch, timeoutMs }: ClientOptions): Partial<ClaudeClientOptions> {
  if (client === undefined && fetch === undefined) return {}
  return {
    headersTimeoutMs: timeoutMs ?? defaultOptions.timeoutMs,
    ...(fetch !== undefined && { fetch }),
    ...(client !== undefined && {
      openSdkClient: ({ onSecret }: SdkClientContext) => observeClient(client, onSecret),
      secrets: listClientSecrets(client),
      credential: 'the credentials of the client',
      baseUrlSetting: 'the base URL of the client',
    }),
  }
}
