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
  roundDownLimit,
} from '../../core/rate-limit/concurrency-limit.ts'
import {
  fullRetryBudget,
  isOutage,
  recordFailure,
  recordSuccess,
} from '../../core/rate-limit/retry-budget.ts'
import type { Clock } from '../../core/run/clock.ts'

/** The state of the API, inferred from the requests of all documents. */
export interface ApiHealth {
  /** Returns how many requests may be in flight now. */
  getConcurrencyLimit(): number
  /** Whether any request has reached the API so far. */
  hasBeenReached(): boolean
  /**
   * Records that a request is sent now. @returns its number; requests are numbered in the order of sending,
   * from 1
   */
  recordSend(document: object): number
  /** Returns the number of the latest request. */
  getLastRequestNumber(): number
  /** Records that this request has ended, successfully or not. */
  recordEnd(number: number): void
  /** Records that the API responded, even if only with an error. */
  recordReached(): void
  /**
   * Records that a request was answered.
   * @param elapsedMs since the request was sent
   * @param isConcurrencyBound see `core/rate-limit/concurrency-limit.ts`
   */
  recordSuccess(
    result: Omit<RequestResult, 'isFailure'>,
    elapsedMs: number,
    isConcurrencyBound: boolean,
  ): void
  /**
   * Records a failed request, unless the failure is known to concern its document alone.
   * @param sign what kind of overload the failure shows, if any
   * @returns whether the API appears to be down
   */
  recordFailure(
    result: Omit<RequestResult, 'isFailure'>,
    sign: 'rate_limited' | 'overloaded' | undefined,
  ): boolean
  /** Returns the latest results of other documents, for requests sent after request number `since`. */
  findResultsOfOthers(document: object, since: number): readonly RequestResult[]
  /**
   * Records an error that would stop all documents if it concerned all of them.
   * @returns whether other requests have succeeded since the previous such error
   */
  recordAlarm(): boolean
  /**
   * Records that the API refused a document with an error that would end the run. A second try is not
   * counted, because it gives no new information.
   * @returns what all refused documents show about that error
   */
  recordAccountError(
    document: object,
    number: number,
    isSecondTry: boolean,
  ): Omit<AccountErrorContext, 'requestError' | 'isSecondTry'>
}

/**
 * The factors by which the concurrency limit is multiplied after a 429 and after another sign of overload.
 */
const decreaseFactors = { rate_limited: 0.7, overloaded: 0.8 } as const

/**
 * Creates the state of an API that no request has reached yet.
 * @param concurrency the initial and the maximum concurrency limit
 */
export function createApiHealth(
  concurrency: { readonly initial: number; readonly max: number },
  clock: Pick<Clock, 'now'>,
): ApiHealth {
  let concurrencyLimit = createConcurrencyLimit(concurrency.initial, concurrency.max)
  let retryBudget = fullRetryBudget
  let latencyMs = 1000
  let hasBeenReached = false
  let results: readonly RequestResult[] = []
  /** Request numbers: the last request sent, the last one answered, and the last one sent before an alarm. */
  let [lastSent, lastAnswered, lastAlarm] = [0, 0, 0]
  /** The documents of requests in flight, by request number. */
  const inFlight = new Map<number, object>()
  /**
   * Refused documents with the number of the refused request. A document is removed when a later request is
   * answered.
   */
  const refusedDocuments = new Map<object, number>()
  /** The last request that had been sent when `refusedDocumentsThreshold` was reached. */
  let lastSentAtThreshold = 0

  return {
    getConcurrencyLimit: () => roundDownLimit(concurrencyLimit),
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
          (sent) => sent <= lastSentAtThreshold && sent > Math.min(...refusedDocuments.values()),
        ),
      }
    },
  }
}
