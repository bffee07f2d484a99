import type { Attempt } from '../request/attempt.ts'
import type { RequestError } from './request-error.ts'

/** How a failed request is retried. */
export interface RetryPlan {
  /**
   * Whether the retry does not count toward the limit of retries, because the error does not concern the
   * document.
   */
  readonly isUncounted: boolean
  /**
   * Wait before the retry: milliseconds. 0: retry immediately and keep the permit. Undefined: wait for
   * `retry-after` or a backoff.
   */
  readonly waitMs?: number
  /**
   * Retry once, although such errors are not retried: other documents will show whether the error concerns
   * them, too.
   */
  readonly isSecondTry?: true
}

/** The rejection of an {@link Ask}: a request error, with all attempts so far. */
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

/**
 * A request was stopped before it had its reply. `cause` is the reason of the stop, `attempts` are the ones
 * so far.
 */
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
