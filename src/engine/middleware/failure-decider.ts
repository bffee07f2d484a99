import type { AskError } from '../../core/errors/ask-error.ts'
import { classifyError, isRetryable, isTransient } from '../../core/errors/classify-error.ts'
import {
  isDocumentSpecificFailure,
  isLargest,
  type RequestResult,
} from '../../core/errors/document-specific-failure.ts'
import { getRetryAfterMs, isUnreachable, type RequestError } from '../../core/errors/request-error.ts'
import type { ApiHealth } from './api-health.ts'
import { decideAccountError } from './decide-account-error.ts'
import { decideDocumentFailure } from './decide-document-failure.ts'
import { decideUnreachable } from './decide-unreachable.ts'
import { type FailureDecision, isRetryableRateLimit } from './failure-decision.ts'

/** One request as it was sent. */
export type SentRequest = Omit<RequestResult, 'isFailure'>

/**
 * Returns a function that decides, after each failure of one document, which documents have to wait: all, or
 * only this one. A document-specific failure (see `core/errors/document-specific-failure.ts`) uses up an
 * attempt, even if it is a rate limit. The document then waits alone, unless it needs capacity that other
 * documents would use up.
 * @param maxWaitMs the longest wait that the user allows, in milliseconds
 */
export function createFailureDecider(
  health: ApiHealth,
  maxWaitMs: number,
): (error: AskError, request: SentRequest) => FailureDecision {
  /** The number of the latest request of all documents when this document first failed. */
  let lastRequestBeforeFailure: number | undefined
  let failures = 0
  let accountErrors = 0
  let priorityCount = 0

  const decideTransient = (error: AskError, request: SentRequest): FailureDecision => {
    const { requestError } = error
    failures++
    lastRequestBeforeFailure ??= health.getLastRequestNumber()
    const others = health.findResultsOfOthers(request.document, lastRequestBeforeFailure)
    const isDocumentSpecific = isDocumentSpecificFailure(others, failures)
    const waitMs = getRetryAfterMs(requestError)
    const isTooLong = isRetryable(requestError) && (waitMs ?? 0) > maxWaitMs
    if (isTooLong && (health.recordAlarm() || isDocumentSpecific)) return { pauses: 'document', error }
    if (isDocumentSpecific) {
      const decision = decideDocumentFailure(
        error,
        priorityCount,
        isLargest(others, request.promptCharacters),
      )
      if (decision.pauses === 'all') priorityCount++
      return decision
    }
    const sign = getOverloadSign(requestError)
    const isDown = health.recordFailure(request, sign)
    if (sign !== 'rate_limited' && !isTooLong && !isDown) return { pauses: 'none', error }
    // After its first failure the document keeps its permit for the probe. If the probe fails, it releases
    // the permit.
    const isFirstFailure = failures === 1
    return {
      pauses: 'all',
      waitMs,
      planRetry: (retryInMs) => ({ isUncounted: true, waitMs: isFirstFailure ? 0 : retryInMs }),
    }
  }

  return (error, request) => {
    const { requestError } = error
    if (isUnreachable(requestError))
      return decideUnreachable(error, health.hasBeenReached(), health.recordAlarm())
    health.recordReached()
    if (isTransient(requestError)) return decideTransient(error, request)
    if (classifyError(requestError) !== 'account') return { pauses: 'none', error }
    const isSecondTry = accountErrors++ > 0
    const { document, requestNumber } = request
    const context = health.recordAccountError(document, requestNumber, isSecondTry)
    return { pauses: 'none', error: decideAccountError(error, { ...context, isSecondTry }) }
  }
}

function getOverloadSign(requestError: RequestError): 'rate_limited' | 'overloaded' | undefined {
  if (isRetryableRateLimit(requestError)) return 'rate_limited'
  return requestError.status === 529 ? 'overloaded' : undefined
}
