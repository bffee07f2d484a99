import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
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
  /** Its next request goes ahead of all others that wait. */
  hasPriority(): boolean
  /**
   * Its next request is sent now; the circuit breaker is closed.
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

/** Follows the requests of one document: the API's health and the circuit breaker learn how each of them ended. */
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

function applyDecision(
  decision: FailureDecision,
  admission: Admission,
  { requestError, attempts }: AskError,
): Error {
  if (decision.pauses === 'all') {
    try {
      const reason = escapeControlChars(describeFailure(toFailure(requestError)))
      const retryInMs = admission.recordFailure(decision.waitMs, reason)
      return new AskError(requestError, attempts, decision.planRetry(retryInMs))
    } catch (tooLong) {
      return new StoppedError(tooLong as Error, attempts)
    }
  }
  if (decision.pauses === 'none') admission.recordSuccess()
  else admission.release()
  return decision.error
}
