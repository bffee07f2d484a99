import {
  appendResult,
  findResultsOfOthers,
  type RequestResult,
} from '../../core/errors/document-specific-failure.ts'
import {
  type AccountErrorContext,
  refusedDocumentsThreshold,
} from '../../core/errors/resolve-account-error.ts'
import {
  createConcurrencyLimit,
  decreaseLimit,
  increaseLimit,
  roundDownLimit as slotsOf,
} from '../../core/rate-limit/concurrency-limit.ts'
import {
  fullRetryBudget,
  isOutage,
  recordFailure,
  recordSuccess,
} from '../../core/rate-limit/retry-budget.ts'
import type { Clock } from '../../core/run/clock.ts'

/** How the service fares, as the requests of all documents show. */
export interface ApiHealth {
  /** How many requests may be in flight now. */
  getConcurrencyLimit(): number
  /** Whether any request has reached the service so far. */
  hasBeenReached(): boolean
  /** @returns the number of a request that is sent now: they are numbered in order, from 1 */
  recordSend(document: object): number
  /** The number of the request that was sent last. */
  getLastRequestNumber(): number
  /** The request of this number has ended, in whatever way. */
  recordEnd(number: number): void
  /** The service had something to say, if only an error. */
  recordReached(): void
  /**
   * A request was answered.
   * @param elapsedMs since it was sent
   * @param isConcurrencyBound see `core/rate-limit/concurrency-limit.ts`
   */
  recordSuccess(
    result: Omit<RequestResult, 'isFailure'>,
    elapsedMs: number,
    isConcurrencyBound: boolean,
  ): void
  /**
   * A request failed in a way that is not known to concern its document alone.
   * @param sign what the failure also shows
   * @returns whether the service is down, as far as can be told
   */
  recordFailure(
    result: Omit<RequestResult, 'isFailure'>,
    sign: 'rate_limited' | 'overloaded' | undefined,
  ): boolean
  /** The latest results of other documents, of requests sent after the one of that number. */
  findResultsOfOthers(document: object, since: number): readonly RequestResult[]
  /**
   * Something came that would stop everything, were it everybody's.
   * @returns whether others were answered since the last time
   */
  recordAlarm(): boolean
  /**
   * A document was refused in a way that would end the run. A second try does not count: it says nothing new.
   * @returns what the documents together show about that
   */
  recordAccountError(
    document: object,
    number: number,
    isSecondTry: boolean,
  ): Omit<AccountErrorContext, 'requestError' | 'isSecondTry'>
}

/** Factors for the concurrency limit after a 429, and after another sign of overload. */
const decreaseFactors = { rate_limited: 0.7, overloaded: 0.8 } as const

/** @param concurrency requests in flight at the same time, to start with and at most */
export function createApiHealth(
  concurrency: { readonly initial: number; readonly max: number },
  clock: Pick<Clock, 'now'>,
): ApiHealth {
  let concurrencyLimit = createConcurrencyLimit(concurrency.initial, concurrency.max)
  let retryBudget = fullRetryBudget
  let latencyMs = 1000
  let hasBeenReached = false
  let results: readonly RequestResult[] = []
  /** Numbers of requests: the last one sent, the last one of those that were answered, the last one before an alarm. */
  let [lastSent, lastAnswered, lastAlarm] = [0, 0, 0]
  /** Their documents, by number. */
  const inFlight = new Map<number, object>()
  /** Documents that were refused, by number of request, without an answer to a later one; what was sent until there were enough. */
  const refusedDocuments = new Map<object, number>()
  let lastSentAtThreshold = 0

  return {
    getConcurrencyLimit: () => slotsOf(concurrencyLimit),
    hasBeenReached: () => hasBeenReached,
    recordSend(document) {
      inFlight.set(++lastSent, document)
      return lastSent
    },
    recordEnd: (number) => void inFlight.delete(number),
    getLastRequestNumber: () => lastSent,
    recordReached() {
      hasBeenReached = true
    },
    recordSuccess(result, elapsedMs, isConcurrencyBound) {
      hasBeenReached = true
      lastAnswered = Math.max(lastAnswered, result.requestNumber)
      latencyMs += 0.2 * (elapsedMs - latencyMs)
      for (const [document, number] of refusedDocuments)
        if (number < result.requestNumber) refusedDocuments.delete(document)
      results = appendResult(results, { ...result, isFailure: false })
      concurrencyLimit = increaseLimit(concurrencyLimit, isConcurrencyBound)
      retryBudget = recordSuccess(retryBudget)
    },
    recordFailure(result, sign) {
      results = appendResult(results, { ...result, isFailure: true })
      if (sign !== undefined)
        concurrencyLimit = decreaseLimit(concurrencyLimit, decreaseFactors[sign], clock.now(), latencyMs)
      if (sign !== 'rate_limited') retryBudget = recordFailure(retryBudget)
      return isOutage(retryBudget)
    },
    findResultsOfOthers: (document, since) => findResultsOfOthers(results, document, since),
    recordAlarm() {
      const haveOthersSucceeded = lastAnswered > lastAlarm
      lastAlarm = lastSent
      return haveOthersSucceeded
    },
    recordAccountError(document, number, isSecondTry) {
      const before = refusedDocuments.size
      if (!isSecondTry) refusedDocuments.set(document, number)
      if (refusedDocuments.size === refusedDocumentsThreshold && before < refusedDocumentsThreshold)
        lastSentAtThreshold = lastSent
      return {
        refusedDocuments: refusedDocuments.size,
        hasAnswers: lastAnswered > 0,
        isUnrefusedInFlight: [...inFlight.values()].some((document) => !refusedDocuments.has(document)),
        isUndecidedInFlight: [...inFlight.keys()].some(
          (it) => it <= lastSentAtThreshold && it > Math.min(...refusedDocuments.values()),
        ),
      }
    },
  }
}
