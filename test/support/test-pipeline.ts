import type { LimitRates } from '../../src/core/rate-limit/limiter-state.ts'
import type { RateLimitSettings } from '../../src/core/rate-limit/rate-limit-settings.ts'
import type { Ask, OnText } from '../../src/core/request/ask.ts'
import type { Request } from '../../src/core/request/request.ts'
import { composeAsk } from '../../src/engine/middleware/compose.ts'
import type { RateLimiter } from '../../src/engine/middleware/rate-limiter.ts'
import type { Semaphore } from '../../src/engine/middleware/semaphore.ts'
import { createShutdown, type Shutdown } from '../../src/engine/shutdown.ts'
import { createRequest } from './scripted-ask.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

export interface TestPipeline {
  readonly clock: VirtualClock
  readonly shutdown: Shutdown
  readonly rateLimiter: RateLimiter
  readonly semaphore: Semaphore
  /** Sends a request for which the caller already has a permit. */
  readonly askInSlot: Ask
  /** The lengths of the reported pauses, in ms. */
  readonly pausesMs: readonly number[]
  ask(
    path?: string,
    as?: { readonly signal?: AbortSignal; readonly watch?: OnText; readonly fields?: Partial<Request> },
  ): ReturnType<Ask>
}

export interface TestPipelineOptions {
  readonly retries?: number
  readonly maxWaitMs?: number
  readonly random?: () => number
  readonly configured?: LimitRates
  readonly concurrency?: RateLimitSettings['concurrency']
  readonly clock?: VirtualClock
  readonly sharers?: number
}

/** Creates the middleware of a run around a scripted `Ask`, with a virtual clock and the largest jitter. */
export function createTestPipeline(service: Ask, options: TestPipelineOptions = {}): TestPipeline {
  const {
    retries = 3,
    maxWaitMs = 600_000,
    random = () => 1,
    configured = {},
    clock = createVirtualClock(),
  } = options
  const shutdown = createShutdown()
  const pauses: number[] = []
  const {
    ask: askInSlot,
    semaphore,
    rateLimiter,
  } = composeAsk(service, {
    configured,
    sharers: options.sharers,
    concurrency: options.concurrency ?? { initial: 8, max: 256 },
    charactersPerToken: 2.5,
    retries,
    maxWaitMs,
    clock,
    random,
    drainSignal: shutdown.drainSignal,
    listener: { onSend() {}, onEnd() {} },
    onPause: ({ ms }) => pauses.push(ms),
  })
  const ask = semaphore.withPermit(askInSlot, shutdown.drainSignal)
  return {
    clock,
    shutdown,
    rateLimiter,
    semaphore,
    askInSlot,
    pausesMs: pauses,
    ask: (path = 'a.md', { signal = shutdown.abortSignal, watch, fields } = {}) =>
      ask(createRequest(path, fields), signal, watch),
  }
}
