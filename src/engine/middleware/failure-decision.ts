import type { AskError, RetryPlan } from '../../core/errors/ask-error.ts'

import { classifyError, isRetryable } from '../../core/errors/classify-error.ts'
import type { RequestError } from '../../core/errors/request-error.ts'

/** What follows from a failed request: which documents wait, and how its own goes on. */
export type FailureDecision =
  /** The API is up, or its state is not known: no other document waits. The request goes on as the error says. */
  | { readonly pauses: 'none' | 'document'; readonly error: AskError }
  /** No document is sent for a while. */
  | {
      readonly pauses: 'all'
      /** Milliseconds; undefined: as the circuit breaker decides. */
      readonly waitMs: number | undefined
      /** This document is the first to be sent after the pause. */
      readonly hasPriority?: true
      /** @param retryInMs until the pause ends */
      readonly planRetry: (retryInMs: number) => RetryPlan
    }

/** Whether the API refuses a request for its rate limit and wants to see it again: only then do all documents wait. */
export function isRetryableRateLimit(requestError: RequestError): boolean {
  return classifyError(requestError) === 'rate_limited' && isRetryable(requestError)
}
