import type { AskError, RetryPlan } from '../../core/errors/ask-error.ts'

import { classifyError, isRetryable } from '../../core/errors/classify-error.ts'
import type { RequestError } from '../../core/errors/request-error.ts'

/** What follows from a failed request: which documents wait, and how its own document continues. */
export type FailureDecision =
  /**
   * The API is up, or its state is unknown: no other document waits. The document continues as the error's
   * retry plan says.
   */
  | { readonly pauses: 'none' | 'document'; readonly error: AskError }
  /** All documents pause. */
  | {
      readonly pauses: 'all'
      /** Length of the pause in milliseconds; undefined: the circuit breaker decides. */
      readonly waitMs: number | undefined
      /** This document is the first to be sent after the pause. */
      readonly hasPriority?: true
      /** Returns how this document is retried. @param retryInMs milliseconds until the pause ends */
      readonly planRetry: (retryInMs: number) => RetryPlan
    }

/** Whether the error is a retryable rate limit. Only then do all documents wait. */
export function isRetryableRateLimit(requestError: RequestError): boolean {
  return classifyError(requestError) === 'rate_limited' && isRetryable(requestError)
}
