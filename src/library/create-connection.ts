import { readBaseUrl } from '../claude/api-environment.ts'
import type { ClaudeClient, ClaudeClientOptions } from '../claude/claude-client.ts'
import type { SdkClientContext } from '../claude/sdk-client.ts'
import { toRateLimitSettings } from '../config/model-settings.ts'
import type { BatchApi } from '../core/batch/batch-api.ts'
import {
  createPriceOf,
  formatExactUsd,
  type PriceOf,
  usdToPicodollars,
} from '../core/pricing/pricing-rules.ts'
import type { Attempt } from '../core/request/attempt.ts'
import type { Clock } from '../core/run/clock.ts'
import type { Reservations } from '../engine/batch/batch-context.ts'
import { type ComposedAsk, composeAsk } from '../engine/middleware/compose.ts'
import { createSharedBudget, type SharedBudget } from '../engine/middleware/shared-budget.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { UsageError } from '../errors.ts'
import { createLibraryRuntime } from '../runtime.ts'
import { type ClientOptions, defaultOptions, type ModelSettings } from './client-options.ts'
import { listClientSecrets, observeClient } from './client-secrets.ts'
import { createEngineListeners } from './events.ts'
import { createClosedError } from './library-error.ts'
import { completePrices } from './library-prices.ts'
import { hasBatches } from './official-client.ts'
import { createSpendingSum, type Totals } from './spending.ts'

/** The parts that all requests of a client share: connections, budget, and a rate limiter for each model. */
export interface Connection {
  readonly overrides: ModelSettings
  readonly clock: Clock
  /**
   * Loads the API client on the first call.
   * @returns the base URL in use
   * @throws UsageError without usable credentials
   */
  open(): Promise<string>
  /** Returns the middleware for a model, given by its id: its limits are separate, as at the API. */
  forModel(model: string): Pick<ComposedAsk, 'withDrain' | 'semaphore'>
  /**
   * Opens the client as `open` does.
   * @throws UsageError also if the official client has no Message Batches
   */
  openBatchApi(): Promise<{ readonly baseUrl: string; readonly batches: BatchApi }>
  readonly priceOf: PriceOf
  /** The spending cap of all requests; undefined without one. */
  readonly budget: SharedBudget | undefined
  /** Retries per request after transient errors. */
  readonly retries: number
  readonly random: () => number
  /** Adds an attempt that was not sent by `forModel` to the totals. */
  recordAttempt(attempt: Attempt): void
  /** What is reserved of the budget for texts in batches, by request hash. */
  readonly reservations: Reservations
  /** The stores that a call uses for batches. */
  readonly storesInUse: WeakSet<object>
  /** Prints a warning. */
  warn(text: string): void
  /** Returns the totals of all requests that have ended. */
  getTotals(): Totals
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
  const { clock, random, env: processEnv, warn } = createLibraryRuntime()
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
  const { maxCostUsd, retries = defaultOptions.retries } = options
  const budget =
    maxCostUsd === undefined ? undefined : createSharedBudget(usdToPicodollars(maxCostUsd), priceOf)
  const createAsk = (model: string) =>
    composeAsk(async (...request) => (await getClient()).ask(...request), {
      ...toRateLimitSettings(
        {
          rpm: options.rpm,
          itpm: options.itpm,
          otpm: options.otpm,
          concurrency: options.concurrency,
        },
        model,
        options.latencyMs === undefined ? {} : { latency: options.latencyMs / 1000 },
      ),
      retries,
      maxWaitMs: options.maxWaitMs ?? defaultOptions.maxWaitMs,
      clock,
      random,
      drainSignal: shutdown.drainSignal,
      priceOf,
      budget,
      listener: { onSend() {}, onEnd: (attempt) => recordAttempt(attempt) },
      ...listenersOf(model),
    })
  const listenersOf = createEngineListeners(options, warn)
  const spending = createSpendingSum()
  const recordAttempt = (attempt: Attempt) => spending.add([attempt])
  const askByModel = new Map<string, ComposedAsk>()

  return {
    overrides: { model, maxTokens, effort },
    clock,
    open: async () => (await getClient()).baseUrl,
    forModel(model) {
      const ask = askByModel.get(model) ?? createAsk(model)
      askByModel.set(model, ask)
      return ask
    },
    async openBatchApi() {
      if (options.client !== undefined && !hasBatches(options.client))
        throw new UsageError("the service of this client has no Message Batches; use mode: 'live'")
      return getClient()
    },
    priceOf,
    budget,
    retries,
    random,
    recordAttempt,
    reservations: new Map(),
    storesInUse: new WeakSet(),
    warn,
    getTotals() {
      const state = budget?.getBudget()
      const remainingUsd = state === undefined ? null : Number(formatExactUsd(state.cap - state.spent))
      return { ...spending.get(), remainingUsd }
    },
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
