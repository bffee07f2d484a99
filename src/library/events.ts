import { type Failure, toFailure } from '../core/errors/failure.ts'
import type { CircuitBreakerOptions } from '../engine/middleware/circuit-breaker.ts'
import type { RetryOptions } from '../engine/middleware/with-retry.ts'
import { isPromise } from './check-arguments.ts'
import { type Problem, toProblem } from './library-error.ts'

/** A failed request that will be sent again. */
export interface Retry {
  /** The id of the text; `prompt` for a prompt of `complete` or `stream`. */
  readonly id: string
  /** The number of the attempt that failed, from 1. */
  readonly attempt: number
  /** The id of the requested model. */
  readonly model: string
  /** Why the request failed. */
  readonly error: Problem
  /** Time in milliseconds until the request is sent again, or longer if the rate limit requires it. */
  readonly waitMs: number
}

/** A pause of all requests to a model, because of a rate limit or an outage. */
export interface Pause {
  /** The id of the requested model. */
  readonly model: string
  /** Length of the pause in milliseconds. */
  readonly waitMs: number
  /** The error that caused it. */
  readonly reason: string
}

/** Functions that are called when something happens to the requests of a client. */
export interface ClientListeners {
  /** Called when a request has failed and will be sent again. */
  readonly onRetry?: ((retry: Retry) => unknown) | undefined
  /** Called once when a rate limit or an outage pauses all requests to a model. */
  readonly onPause?: ((pause: Pause) => unknown) | undefined
}

/** Returns the listeners of the engine for a model. @param warn prints a warning */
export function createEngineListeners(
  { onRetry, onPause }: ClientListeners,
  warn: (text: string) => void,
): (model: string) => Pick<RetryOptions, 'onRetry'> & Pick<CircuitBreakerOptions, 'onPause'> {
  const notifyRetry = protectListener('onRetry', onRetry, warn)
  const notifyPause = protectListener('onPause', onPause, warn)
  return (model) => ({
    onRetry({ request, attemptNumber, requestError, waitMs }) {
      const failure: Failure = toFailure(requestError)
      notifyRetry({ id: request.path, attempt: attemptNumber, model, error: toProblem(failure), waitMs })
    },
    onPause: ({ ms, reason }) => notifyPause({ model, waitMs: ms, reason }),
  })
}

/**
 * Returns a function that calls a listener of the user. An error of the listener must not end a run that costs money,
 * so it is ignored; the first one of each listener becomes a warning.
 */
export function protectListener<Event>(
  name: string,
  listener: ((event: Event) => unknown) | undefined,
  warn: (text: string) => void,
): (event: Event) => void {
  let hasFailed = false
  const report = (error: unknown) => {
    if (!hasFailed) warn(`${name} threw an error: ${error instanceof Error ? error.message : typeof error}`)
    hasFailed = true
  }
  return (event) => {
    try {
      const result = listener?.(event)
      if (isPromise(result)) Promise.resolve(result).catch(report)
    } catch (error) {
      report(error)
    }
  }
}
