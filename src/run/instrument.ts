import { toRateLimitSettings } from '../config/model-settings.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import { otherSettingsOutcome } from '../core/document/kept-results.ts'
import { unchangedOutcome } from '../core/document/overwrite-policy.ts'
import type { PriceOf } from '../core/pricing/pricing-rules.ts'
import { computeMaxRequestRate } from '../core/rate-limit/max-request-rate.ts'
import type { Ask } from '../core/request/ask.ts'
import type { RunStart } from '../core/run/ledger-entry.ts'
import { createStatsCollector, type StatsCollector } from '../core/run/run-stats.ts'
import { composeAsk } from '../engine/middleware/compose.ts'
import type { RateLimiter } from '../engine/middleware/rate-limiter.ts'
import type { Semaphore } from '../engine/middleware/semaphore.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import type { Shutdown } from '../engine/shutdown.ts'
import type { Runtime } from '../runtime.ts'
import type { RequestLog } from '../sinks/request-log.ts'
import type { Reporter } from '../ui/reporter.ts'
import type { Provider } from './provider.ts'
import { openRequestTelemetry } from './trace-run.ts'

export interface InstrumentOptions {
  readonly options: SummarizeOptions
  readonly runtime: Runtime
  readonly shutdown: Shutdown
  readonly priceOf: PriceOf
  readonly budget: SharedBudget | undefined
  /** Reports every attempt, and shows the progress of the run. */
  readonly reporter: Reporter
  readonly log: RequestLog | undefined
  /** The model of the run; the first one, if there are several. */
  readonly model: string
  /** The number of pending documents. */
  readonly pendingCount: number
  /** Documents whose summary is up to date. */
  readonly upToDate: readonly DocumentRef[]
  /** Documents whose summary is kept although it was made with other settings. */
  readonly kept?: readonly DocumentRef[]
  /** Documents that were found but skipped, by reason. */
  readonly skipped?: ReadonlyMap<string, DocumentCount> | undefined
  /** When the run started, in milliseconds of `clock.now()`. */
  readonly startMs: number
  readonly provider: Pick<Provider, 'traits' | 'baseUrl'>
  /** How many runs like this one are expected to share the rate limits. Default: 1. */
  readonly sharers?: number | undefined
  /** The start of the run in the ledger; undefined for several runs. */
  readonly runStart?: RunStart
  /** Returns the path of a document's summary, relative to the working directory. */
  readonly locateSummary?: ((path: string) => string) | undefined
}

/** A client behind the middleware, with the statistics of its requests. */
export interface InstrumentedClient {
  /** Sends a request. The caller must hold a permit of the semaphore. */
  readonly ask: Ask
  readonly semaphore: Semaphore
  readonly rateLimiter: RateLimiter
  readonly stats: StatsCollector
}

/**
 * Wraps a client in the middleware, and counts, logs and shows every attempt.
 * @param client undefined for a run that sends no requests
 */
export function instrumentClient(
  client: Ask | undefined,
  {
    options,
    runtime,
    shutdown,
    priceOf,
    budget,
    reporter,
    log,
    model,
    pendingCount: total,
    upToDate,
    kept = [],
    skipped,
    startMs,
    provider,
    sharers,
    runStart,
    locateSummary,
  }: InstrumentOptions,
): InstrumentedClient {
  const { clock, random } = runtime
  const statsCollector = createStatsCollector(skipped)
  for (const document of upToDate)
    statsCollector.addOutcome({ document, attempts: [], elapsedMs: 0, ...unchangedOutcome })
  for (const document of kept)
    statsCollector.addOutcome({ document, attempts: [], elapsedMs: 0, ...otherSettingsOutcome })
  const { ask, semaphore, rateLimiter } = composeAsk(client ?? rejectRequest, {
    ...toRateLimitSettings(options, model, { sharers }),
    priceOf,
    budget,
    retries: options.retries,
    maxWaitMs: options.maxWait * 1000,
    clock,
    random,
    drainSignal: shutdown.drainSignal,
    telemetry: openRequestTelemetry(provider),
    onPause: reporter.onPause,
    listener: {
      onSend: reporter.onSend,
      onEnd(attempt) {
        statsCollector.addAttempt(attempt)
        log?.writeAttempt(attempt)
        reporter.onAttempt(attempt)
      },
    },
  })
  reporter.startProgress({
    mode: options.progress,
    total,
    statsCollector,
    getWaitingLimit: () => rateLimiter.getStats().lastThrottledBy,
    getMaxRequestRate() {
      const { requests, usage } = statsCollector.getProgress()
      return computeMaxRequestRate(rateLimiter.getStats(), requests, usage)
    },
    getElapsedMs: () => clock.now() - startMs,
    runStart,
    locateSummary,
  })
  return { ask, semaphore, rateLimiter, stats: statsCollector }
}

const rejectRequest: Ask = () => Promise.reject(new Error('there was nothing to send'))
