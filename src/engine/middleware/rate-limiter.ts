import { AskError } from '../../core/errors/ask-error.ts'
import {
  createLimiterState,
  estimateDemand,
  findLongestWait,
  type LimiterState,
  type LimitName,
  type LimitRates,
  type RateLimiterStats,
  type ResponseReading,
  recordResponse,
  recordSend,
} from '../../core/rate-limit/limiter-state.ts'
import type { Ask } from '../../core/request/ask.ts'
import { countPromptCharacters, type Request } from '../../core/request/request.ts'
import type { Clock } from '../../core/run/clock.ts'
import { withAnySignal } from '../with-any-signal.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { DocumentTracker } from './track-document.ts'
import { createWaitQueue } from './wait-queue.ts'

export interface RateLimiterOptions {
  readonly configured: LimitRates
  /** How many runs like this one are expected to share the limits. Default: 1. */
  readonly sharers?: number | undefined
  /** Spreads the first requests of runs that share the limits. */
  readonly random: () => number
  /** The maximum concurrency limit. */
  readonly maxConcurrency: number
  /** A low estimate of the characters per token of a prompt. */
  readonly charactersPerToken: number
  readonly circuitBreaker: Pick<CircuitBreaker, 'getBlockedMs'>
  /** Returns a tracker for one document. */
  readonly trackDocument: () => DocumentTracker
  readonly clock: Clock
  /** Called when a request may be sent, with the milliseconds that it waited. */
  readonly onAdmitted?: (waitedMs: number) => void
}

export interface RateLimiter {
  /**
   * Wraps an `Ask` that sends the requests of one document, so that each is sent when the rate limits allow.
   * All documents that share the limiter are served in order.
   * @param drainSignal when aborted, this `Ask` sends no further request
   */
  withRateLimit(ask: Ask, drainSignal: AbortSignal): Ask
  getStats(): RateLimiterStats
}

/** A request in the wait queue. */
interface WaitingRequest {
  readonly tracker: DocumentTracker
  readonly characters: number
  readonly maxTokens: number
  /** The limit that the request waited for last. */
  throttledBy: LimitName | undefined
}

/**
 * The longest time, in milliseconds, until a waiting request is checked again: a response may have raised a
 * bucket's level.
 */
const maxRecheckMs = 100
/** Returns a rate limiter, which carries out the decisions of `core/rate-limit/limiter-state.ts`. */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { circuitBreaker, clock } = options
  let state: LimiterState = createLimiterState(options.configured, options.charactersPerToken, clock.now(), {
    sharers: options.sharers ?? 1,
    phase: options.random(),
  })
  const throttledMs = new Map<LimitName, number>()
  /** The limit that the first request in the queue waits for, and since when. */
  let block: { readonly limit: LimitName; readonly since: number } | undefined
  let [inFlight, maxInFlight] = [0, 0]
  let lastThrottledBy: LimitName | undefined

  let timer: AbortController | undefined
  /** `abort` creates an error with a stack, so it is called only for a timer that is set. */
  const stopTimer = () => {
    timer?.abort()
    timer = undefined
  }

  /** Checks the first request in the queue again after this time, when a limit may have refilled. */
  const scheduleRecheck = (ms: number) => {
    stopTimer()
    timer = new AbortController()
    clock.sleep(ms, timer.signal).then(waitQueue.advance, () => {})
  }
  /** Adds the time of the current block, and starts the next one. @param limit undefined if nothing is blocked */
  const setBlock = (limit: LimitName | undefined) => {
    const now = clock.now()
    if (block !== undefined)
      throttledMs.set(block.limit, (throttledMs.get(block.limit) ?? 0) + now - block.since)
    block = limit && { limit, since: now }
  }
  const waitQueue = createWaitQueue((waiting: WaitingRequest) => {
    setBlock(undefined)
    const blockedMs = circuitBreaker.getBlockedMs()
    if (blockedMs > 0) {
      if (Number.isFinite(blockedMs)) scheduleRecheck(blockedMs)
      return undefined
    }
    const { characters, maxTokens, throttledBy } = waiting
    const demand = estimateDemand(state, characters, maxTokens)
    const wait = findLongestWait(state, demand, clock.now())
    if (wait.ms > 0) {
      waiting.throttledBy = wait.limit
      setBlock(wait.limit)
      scheduleRecheck(Math.min(wait.ms, maxRecheckMs))
      return undefined
    }
    const after = recordSend(state, demand, characters, clock.now())
    state = after.state
    lastThrottledBy = throttledBy
    return { expected: after.sent, sent: waiting.tracker.recordSend(characters), waited: throttledBy }
  })
  const waitForAdmission = async (
    request: Request,
    tracker: DocumentTracker,
    drainSignal: AbortSignal,
    signal: AbortSignal,
  ) => {
    const waiting: WaitingRequest = {
      tracker,
      characters: countPromptCharacters(request),
      maxTokens: request.maxTokens,
      throttledBy: undefined,
    }
    drainSignal.throwIfAborted()
    signal.throwIfAborted()
    try {
      const admitted = waitQueue.tryJoin(waiting)
      if (admitted !== undefined) return admitted
      return await withAnySignal(drainSignal, signal, (either) =>
        waitQueue.join(waiting, either, tracker.hasPriority()),
      )
    } finally {
      if (waitQueue.length() === 0) {
        stopTimer()
        setBlock(undefined)
      }
    }
  }

  const withRateLimit = (ask: Ask, drainSignal: AbortSignal): Ask => {
    const tracker = options.trackDocument()
    return async (request, signal, onText) => {
      const start = clock.now()
      const {
        expected: snapshot,
        sent: inFlightRequest,
        waited: throttledBy,
      } = await waitForAdmission(request, tracker, drainSignal, signal)
      options.onAdmitted?.(clock.now() - start)
      maxInFlight = Math.max(maxInFlight, ++inFlight)
      const recordEnd = (reading: ResponseReading) => {
        inFlight--
        state = recordResponse(state, snapshot, reading, clock.now())
      }
      try {
        const reply = await ask(request, signal, onText)
        recordEnd(reply)
        inFlightRequest.recordSuccess(throttledBy === undefined)
        return reply
      } catch (error) {
        if (!(error instanceof AskError)) {
          recordEnd({})
          inFlightRequest.recordCancellation()
          throw error
        }
        const { limits } = error.requestError
        recordEnd(limits === undefined ? {} : { limits })
        throw inFlightRequest.recordFailure(error)
      } finally {
        waitQueue.advance()
      }
    }
  }

  return {
    withRateLimit,
    getStats: () => ({
      configured: state.configured,
      observed: state.observed,
      throttledMs,
      maxInFlight,
      maxConcurrency: options.maxConcurrency,
      lastThrottledBy,
    }),
  }
}
