import type { Attempt } from '../request/attempt.ts'
import type { RequestError } from './request-error.ts'

/** How a failed request is retried. */
export interface RetryPlan {
  /** The retry does not count toward the limit, because the error does not concern only this document. */
  readonly isUncounted: boolean
  /**
   * Wait before the retry: milliseconds. 0: retry immediately and keep the permit. Undefined: wait for
   * `retry-after` or a backoff.
   */
  readonly waitMs?: number
  /** Retry an error once that is not retried otherwise: it may turn out to concern only this document. */
  readonly isSecondTry?: true
}

/**
 * The rejection of an {@link Ask}: a request error, with all attempts so far. `cause` is the error of the SDK or the
 * system, with secrets removed, if there is one.
 */
export class AskError extends Error {
  override readonly name = 'AskError'
  readonly requestError: RequestError
  readonly attempts: readonly Attempt[]
  readonly retryPlan: RetryPlan

  constructor(
    requestError: RequestError,
    attempts: readonly Attempt[] = [],
    retryPlan: RetryPlan = { isUncounted: false },
    options?: ErrorOptions,
  ) {
    super(requestError.message, options)
    this.requestError = requestError
    this.attempts = attempts
    this.retryPlan = retryPlan
  }

  /** Returns a copy with some fields replaced. It has the same cause. */
  with({
    requestError = this.requestError,
    attempts = this.attempts,
    retryPlan = this.retryPlan,
  }: Partial<Pick<AskError, 'requestError' | 'attempts' | 'retryPlan'>>): AskError {
    return new AskError(requestError, attempts, retryPlan, { cause: this.cause })
  }
}

/** A request was stopped before it had a reply, for the reason `cause`, after these attempts. */
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
