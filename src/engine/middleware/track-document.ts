import { AskError, type RetryPlan, StoppedError } from '../../core/errors/ask-error.ts'
import { classifyError, isRetryable, isTransient } from '../../core/errors/classify-error.ts'
import { isDocumentSpecificFailure, isLargest } from '../../core/errors/document-specific-failure.ts'
import { formatFailure, toFailure } from '../../core/errors/failure.ts'
import { getRetryAfterMs, isUnreachable, type RequestError } from '../../core/errors/request-error.ts'
import { resolveAccountError } from '../../core/errors/resolve-account-error.ts'
import type { Clock } from '../../core/run/clock.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import type { ApiHealth } from './api-health.ts'
import type { Admission, CircuitBreaker } from './circuit-breaker.ts'

export interface TrackDocumentOptions {
  readonly health: ApiHealth
  readonly circuitBreaker: CircuitBreaker
  readonly maxWaitMs: number
  readonly clock: Pick<Clock, 'now'>
}

/** One document, from its first request to its last. */
export interface DocumentTracker {
  /** Its next request goes ahead of all others that wait. */
  hasPriority(): boolean
  /**
   * Its next request is sent now; the gate is open.
   * @param promptCharacters characters of the prompt
   * @returns what must be told how the request ends
   */
  recordSend(promptCharacters: number): InFlightRequest
}

interface InFlightRequest {
  /** @param isConcurrencyBound see `core/rate-limit/concurrency-limit.ts` */
  recordSuccess(isConcurrencyBound: boolean): void
  /** Its caller has left. */
  recordCancellation(): void
  /** @returns what to throw: the same error and how to go on from it, or in a `StoppedError` what ends the run */
  recordFailure(error: AskError): Error
}

/** A limit per minute is full again after a minute: a refusal that asks for more is not for want of room. */
const bucketRefillMs = 60_000

/** Until then, other documents show whether they are refused, too. */
const secondTryDelayMs = 1000

/**
 * Decides who has to wait for a failure: all documents, or only the one that met it. A document whose trouble is its own
 * (see `core/errors/document-specific-failure.ts`) waits alone and uses up its attempts, whatever the failure.
 */
export function trackDocument({
  health,
  circuitBreaker,
  maxWaitMs,
  clock,
}: TrackDocumentOptions): DocumentTracker {
  const document = {}
  /** The last request that had been sent, of all documents, when this one failed first. */
  let lastRequestBeforeFailure: number | undefined
  let failures = 0
  let accountErrors = 0
  let hasPriority = false
  let priorityCount = 0

  /** The others go on. */
  const retryAlone = (admission: Admission, error: AskError) => {
    admission.release()
    return error
  }
  /** Nothing is sent for a while. */
  const pauseAll = (
    admission: Admission,
    { requestError, attempts }: AskError,
    planRetry: (openInMs: number) => RetryPlan,
    waitMs = getRetryAfterMs(requestError),
  ) => {
    try {
      const retryInMs = admission.recordFailure(
        waitMs,
        escapeControlChars(formatFailure(toFailure(requestError))),
      )
      return new AskError(requestError, attempts, planRetry(retryInMs))
    } catch (tooLong) {
      return new StoppedError(tooLong as Error, attempts)
    }
  }
  /** It keeps its slot, to be there when the pause is over; refused again, it makes room for others. */
  const planUncountedRetry = (retryInMs: number): RetryPlan => ({
    isUncounted: true,
    waitMs: failures === 1 ? 0 : retryInMs,
  })

  const handleUnreachable = (admission: Admission, error: AskError) => {
    const haveOthersSucceeded = health.recordAlarm()
    if (!health.hasBeenReached()) {
      // The address may be wrong, which is not worth the longest wait: one document tries until it has no attempts left.
      hasPriority = true
      return pauseAll(admission, error, () => ({ isUncounted: false, waitMs: 0 }))
    }
    // Others get through on connections that they have.
    if (haveOthersSucceeded)
      return retryAlone(admission, new AskError(error.requestError, error.attempts, { isUncounted: true }))
    return pauseAll(admission, error, () => ({ isUncounted: true, waitMs: 0 }))
  }

  const handleDocumentFailure = (admission: Admission, error: AskError, isLarge: boolean) => {
    const waitMs = getRetryAfterMs(error.requestError) ?? 1000 * 2 ** priorityCount
    const isRateLimited = isRetryableRateLimit(error.requestError)
    if (!isRateLimited || waitMs > bucketRefillMs || (priorityCount > 0 && !isLarge))
      return retryAlone(admission, error)
    // Others may always have taken the room it needs, so it is the first to be sent after a pause: once, or each time
    // where it is so large that it needs a limit which was left alone for long.
    hasPriority = true
    priorityCount++
    return pauseAll(admission, error, () => ({ isUncounted: false, waitMs: 0 }), waitMs)
  }

  /** The account is refused, and with it all documents, unless it is only this one. */
  const handleAccountError = (error: AskError, requestNumber: number) => {
    const { requestError, attempts } = error
    const isSecondTry = accountErrors > 0
    const decision = resolveAccountError({
      requestError,
      isSecondTry,
      ...health.recordAccountError(document, requestNumber, isSecondTry),
    })
    accountErrors++
    if (decision === 'account') return error
    if (decision === 'document') return new AskError({ ...requestError, isDocumentSpecific: true }, attempts)
    return new AskError(requestError, attempts, {
      isUncounted: true,
      isSecondTry: true,
      waitMs: secondTryDelayMs,
    })
  }

  const handleFailure = (
    admission: Admission,
    error: AskError,
    requestNumber: number,
    promptCharacters: number,
  ): Error => {
    const { requestError } = error
    health.recordEnd(requestNumber)
    if (isUnreachable(requestError)) return handleUnreachable(admission, error)
    health.recordReached()
    if (!isTransient(requestError)) {
      admission.recordSuccess()
      return classifyError(requestError) === 'account' ? handleAccountError(error, requestNumber) : error
    }
    failures++
    lastRequestBeforeFailure ??= health.getLastRequestNumber()
    const others = health.findResultsOfOthers(document, lastRequestBeforeFailure)
    const isDocumentSpecific = isDocumentSpecificFailure(others, failures)
    const isTooLong = isRetryable(requestError) && (getRetryAfterMs(requestError) ?? 0) > maxWaitMs
    if (isTooLong && (health.recordAlarm() || isDocumentSpecific)) return retryAlone(admission, error)
    if (isDocumentSpecific)
      return handleDocumentFailure(admission, error, isLargest(others, promptCharacters))

    const isRateLimited = isRetryableRateLimit(requestError)
    const sign = isRateLimited ? 'rate_limited' : requestError.status === 529 ? 'overloaded' : undefined
    const isDown = health.recordFailure({ requestNumber, document, promptCharacters }, sign)
    if (isRateLimited || isTooLong || isDown) return pauseAll(admission, error, planUncountedRetry)
    admission.recordSuccess()
    return error
  }

  return {
    hasPriority: () => hasPriority,
    recordSend(promptCharacters) {
      hasPriority = false
      const admission = circuitBreaker.admit()
      const requestNumber = health.recordSend(document)
      const start = clock.now()
      return {
        recordSuccess(isConcurrencyBound) {
          health.recordEnd(requestNumber)
          health.recordSuccess(
            { requestNumber, document, promptCharacters },
            clock.now() - start,
            isConcurrencyBound,
          )
          admission.recordSuccess()
        },
        recordCancellation() {
          health.recordEnd(requestNumber)
          admission.release()
        },
        recordFailure: (error) => handleFailure(admission, error, requestNumber, promptCharacters),
      }
    },
  }
}

/** A 429 that the service does not want to see again pauses nobody. */
function isRetryableRateLimit(requestError: RequestError): boolean {
  return classifyError(requestError) === 'rate_limited' && isRetryable(requestError)
}
