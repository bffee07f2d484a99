import type { Attempt } from '../request/attempt.ts'
import type { RequestError } from './request-error.ts'

/** How a failed request may be sent again. */
export interface RetryPlan {
  /** Uses up no attempt, since it is not for the document to prove itself. */
  readonly isUncounted: boolean
  /** When: milliseconds from now; 0: at once, in the same place; undefined: after a backoff, or as the service asks. */
  readonly waitMs?: number
  /** One more attempt, although such an error is not retried: other documents will show whether it concerns all. */
  readonly isSecondTry?: true
}

/** A request error thrown through an {@link Ask}, with all attempts before it. */
export class AskError extends Error {
  override readonly name = 'AskError'
  readonly requestError: RequestError
  readonly attempts: readonly Attempt[]
  readonly retryPlan: RetryPlan

  constructor(
    requestError: RequestError,
    attempts: readonly Attempt[] = [],
    retryPlan: RetryPlan = { isUncounted: false },
  ) {
    super(requestError.message)
    this.requestError = requestError
    this.attempts = attempts
    this.retryPlan = retryPlan
  }
}

/** The run was told to stop before a request had its answer: why, with every sending that came before. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError'
  override readonly cause: Error
  readonly attempts: readonly Attempt[]

  constructor(cause: Error, attempts: readonly Attempt[]) {
    super(cause.message, { cause })
    this.cause = cause
    this.attempts = attempts
  }
}
