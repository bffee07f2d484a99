import { type AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { describeFailure } from '../../core/errors/describe-failure.ts'
import { toFailure } from '../../core/errors/failure.ts'
import type { Clock } from '../../core/run/clock.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import type { ApiHealth } from './api-health.ts'
import type { Admission, CircuitBreaker } from './circuit-breaker.ts'
import { createFailureDecider } from './failure-decider.ts'
import type { FailureDecision } from './failure-decision.ts'

export interface TrackDocumentOptions {
  readonly health: ApiHealth
  readonly circuitBreaker: CircuitBreaker
  readonly maxWaitMs: number
  readonly clock: Pick<Clock, 'now'>
}

/** One document, from its first request to its last. */
export interface DocumentTracker {
  /** Whether the document's next request is sent before all other waiting requests. */
  hasPriority(): boolean
  /**
   * Records that the document's next request is sent now. The circuit breaker must be closed.
   * @param promptCharacters length of the prompt in characters
   * @returns the object that records how the request ends
   */
  recordSend(promptCharacters: number): InFlightRequest
}

interface InFlightRequest {
  /**
   * Records that the request was answered.
   * @param isConcurrencyBound see `core/rate-limit/concurrency-limit.ts`
   */
  recordSuccess(isConcurrencyBound: boolean): void
  /** The caller cancelled the request. */
  recordCancellation(): void
  /**
   * @returns the error to throw: the same error with a retry plan, or a `StoppedError` with the error that
   * ends the run
   */
  recordFailure(error: AskError): Error
}

/**
 * Returns a tracker for one document. It records the result of each request in the API health and the circuit
 * breaker.
 */
export function trackDocument({
  health,
  circuitBreaker,
  maxWaitMs,
  clock,
}: TrackDocumentOptions): DocumentTracker {
  const document = {}
  const decideAfterFailure = createFailureDecider(health, maxWaitMs)
  let hasPriority = false

  return {
    hasPriority: () => hasPriority,
    recordSend(promptCharacters) {
      hasPriority = false
      const admission = circuitBreaker.admit()
      const requestNumber = health.recordSend(document)
      const request = { requestNumber, document, promptCharacters }
      const start = clock.now()
      return {
        recordSuccess(isConcurrencyBound) {
          health.recordEnd(requestNumber)
          health.recordSuccess(request, clock.now() - start, isConcurrencyBound)
          admission.recordSuccess()
        },
        recordCancellation() {
          health.recordEnd(requestNumber)
          admission.release()
        },
        recordFailure(error) {
          health.recordEnd(requestNumber)
          const decision = decideAfterFailure(error, request)
          if (decision.pauses === 'all' && decision.hasPriority) hasPriority = true
          return applyDecision(decision, admission, error)
        },
      }
    },
  }
}

function applyDecision(decision: FailureDecision, admission: Admission, error: AskError): Error {
  if (decision.pauses === 'all') {
    try {
      const reason = escapeControlChars(describeFailure(toFailure(error.requestError)))
      const retryInMs = admission.recordFailure(decision.waitMs, reason)
      return error.with({ retryPlan: decision.planRetry(retryInMs) })
    } catch (tooLong) {
      return new StoppedError(tooLong as Error, error.attempts)
    }
  }
  if (decision.pauses === 'none') admission.recordSuccess()
  else admission.release()
  return decision.error
}
