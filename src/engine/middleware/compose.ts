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
import { withRetry } from './with-retry.ts'

export interface ComposeOptions extends RateLimitSettings {
  /** See {@link withRetry}. */
  readonly retries: number
  /** A wait longer than this is not waited: milliseconds. */
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Aborted: nothing more is sent. */
  readonly drainSignal: AbortSignal
  readonly listener: AttemptListener
  /** What answers cost; by the table, if left out. */
  readonly priceOf?: PriceOf
  /** What may be spent; no bounds, if left out. */
  readonly budget?: SharedBudget | undefined
  readonly onPause?: NonNullable<CircuitBreakerOptions['onPause']>
}

export interface ComposedAsk {
  /** Sends within the shared rate limits. The caller holds a permit. */
  readonly ask: Ask
  /** The same for one of several who share it and stop each at a time of his own. */
  withDrain(drainSignal: AbortSignal): Ask
  readonly semaphore: Semaphore
  readonly rateLimiter: RateLimiter
}

/** The middleware around a client, in order, with the semaphore and the rate limiter it uses. */
export function composeAsk(client: Ask, options: ComposeOptions): ComposedAsk {
  const { clock, listener, budget } = options
  const circuitBreaker = createCircuitBreaker(options)
  const health = createApiHealth(options.concurrency, clock)
  const rateLimiter = createRateLimiter({
    ...options,
    circuitBreaker,
    trackDocument: () => trackDocument({ ...options, health, circuitBreaker }),
    maxConcurrency: options.concurrency.max,
  })
  const semaphore = createSemaphore(health.getConcurrencyLimit)
  const logged = withAttemptLog(client, clock, listener, options.priceOf)
  const withDrain = (drainSignal: AbortSignal) => {
    const createDocumentAsk = () => {
      const rateLimited = rateLimiter.withRateLimit(logged, drainSignal)
      return budget?.withBudget(rateLimited, drainSignal) ?? rateLimited
    }
    return withRetry(createDocumentAsk, { ...options, drainSignal, semaphore })
  }
  return { ask: withDrain(options.drainSignal), withDrain, semaphore, rateLimiter }
}
