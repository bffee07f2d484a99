import type { PriceOf } from '../../core/pricing/pricing-rules.ts'
import type { RateLimitSettings } from '../../core/rate-limit/rate-limit-settings.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Clock } from '../../core/run/clock.ts'
import { createApiHealth } from './api-health.ts'
import { type CircuitBreakerOptions, createCircuitBreaker } from './circuit-breaker.ts'
import { createRateLimiter, type RateLimiter } from './rate-limiter.ts'
import { createSemaphore, type Semaphore } from './semaphore.ts'
import type { SharedBudget } from './shared-budget.ts'
import { trackDocument } from './track-document.ts'
import { type AttemptListener, withAttemptLog } from './with-attempt-log.ts'
import { type RetryOptions, withRetry } from './with-retry.ts'
import type { RequestTelemetry } from './with-telemetry.ts'

export interface ComposeOptions extends RateLimitSettings {
  /** See {@link withRetry}. */
  readonly retries: number
  /** The longest wait that the user allows, in milliseconds. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** When aborted, no further request is sent. */
  readonly drainSignal: AbortSignal
  readonly listener: AttemptListener
  /** Computes the cost of answers. Default: list prices. */
  readonly priceOf?: PriceOf
  /** The spending cap. Default: unlimited. */
  readonly budget?: SharedBudget | undefined
  /** Default: no telemetry. */
  readonly telemetry?: RequestTelemetry | undefined
  readonly onPause?: NonNullable<CircuitBreakerOptions['onPause']>
  readonly onRetry?: NonNullable<RetryOptions['onRetry']>
}

export interface ComposedAsk {
  /** Sends a request within the shared rate limits. The caller holds a permit. */
  readonly ask: Ask
  /**
   * Returns the same `Ask` with another drain signal, for callers that share the limits but stop
   * independently.
   */
  withDrain(drainSignal: AbortSignal): Ask
  readonly semaphore: Semaphore
  readonly rateLimiter: RateLimiter
}

/**
 * Wraps a client in the middleware, in order. Returns it with the semaphore and the rate limiter that it
 * uses.
 */
export function composeAsk(client: Ask, options: ComposeOptions): ComposedAsk {
  const { clock, listener, budget, telemetry } = options
  const circuitBreaker = createCircuitBreaker(options)
  const health = createApiHealth(options.concurrency, clock)
  const rateLimiter = createRateLimiter({
    ...options,
    circuitBreaker,
    trackDocument: () => trackDocument({ ...options, health, circuitBreaker }),
    maxConcurrency: options.concurrency.max,
    ...(telemetry !== undefined && { onAdmitted: telemetry.recordWait }),
  })
  const semaphore = createSemaphore(health.getConcurrencyLimit)
  const attemptLog = withAttemptLog(client, clock, listener, options.priceOf)
  const logged = telemetry?.wrap(attemptLog) ?? attemptLog
  const withDrain = (drainSignal: AbortSignal) => {
    const createDocumentAsk = () => {
      const rateLimited = rateLimiter.withRateLimit(logged, drainSignal)
      return budget?.withBudget(rateLimited, drainSignal) ?? rateLimited
    }
    return withRetry(createDocumentAsk, { ...options, drainSignal, semaphore })
  }
  return { ask: withDrain(options.drainSignal), withDrain, semaphore, rateLimiter }
}
