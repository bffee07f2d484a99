import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import type { Failure } from '../core/errors/failure.ts'
import { toFailure } from '../core/errors/failure.ts'
import { BudgetExceededError, RunError, WaitTooLongError } from '../core/errors/run-error.ts'
import { QueueFullError } from '../engine/middleware/bounded-queue.ts'
import { QuestionError } from './parse-question.ts'

/** An error for a client: sent with a status before the first byte, or as an event after it. */
export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 413 | 415 | 422 | 500 | 502 | 503 | 504
  readonly type: string
  readonly message: string
  readonly requestId?: string
  /** The value of the `Retry-After` header, in seconds. */
  readonly retryAfterS?: number
}

/** Returns the JSON body for a problem. */
export function toErrorBody({ type, message, requestId }: Problem) {
  return { error: { type, message, ...(requestId !== undefined && { request_id: requestId }) } }
}

/** Returns the problem of a reply that is not an answer: cut off, declined or empty. */
export function toReplyProblem({ type, message, requestId }: Failure): Problem {
  return { status: 422, type, message, ...(requestId !== undefined && { requestId }) }
}

/**
 * Returns the problem that a client may see for an error. Details about the server's account, configuration,
 * files or code are left out; the operator gets them from `onError`.
 */
export function toProblem(error: unknown, isStopping: boolean): Problem {
  if (error instanceof QuestionError) return { status: 400, type: 'invalid_request', message: error.message }
  if (error instanceof QueueFullError)
    return {
      status: 503,
      type: 'queue_full',
      message: 'too many requests in the queue; retry later',
      retryAfterS: 5,
    }
  const stopCause = error instanceof StoppedError ? error.cause : error
  const cause =
    stopCause instanceof RunError && stopCause.cause instanceof AskError ? stopCause.cause : stopCause
  if (cause instanceof AskError) {
    const { requestId } = cause.requestError
    return { ...toRequestProblem(cause), ...(requestId !== undefined && { requestId }) }
  }
  if (isStopping)
    return { status: 503, type: 'shutting_down', message: 'the server is stopping', retryAfterS: 10 }
  if (cause instanceof WaitTooLongError)
    return {
      status: 503,
      type: 'wait_too_long',
      message: 'the API is overloaded; retry later',
      retryAfterS: 60,
    }
  if (cause instanceof BudgetExceededError)
    return {
      status: 503,
      type: 'budget_exceeded',
      message: 'this server has reached its spending cap; the operator is notified',
    }
  return { status: 500, type: 'internal_error', message: 'internal error; the operator is notified' }
}

function toRequestProblem({ requestError }: AskError): Problem {
  const { type, message } = toFailure(requestError)
  switch (classifyError(requestError)) {
    case 'document':
      if (requestError.isDocumentSpecific)
        return {
          status: 502,
          type: 'provider_rejected',
          message: 'the API, or a gateway in front of it, refused this text twice',
        }
      if (requestError.status === 429)
        return { status: 413, type, message: 'the text is longer than this server may send; split it' }
      return { status: requestError.status === 413 ? 413 : 400, type, message }
    case 'transient':
    case 'rate_limited':
      if (requestError.kind === 'timeout')
        return { status: 504, type, message: 'the API did not reply in time' }
      return {
        status: requestError.status === 429 || requestError.status === 529 ? 503 : 502,
        type,
        message: 'the API failed with a transient error; retry later',
        ...((requestError.status === 429 || requestError.status === 529) && { retryAfterS: 10 }),
      }
    case 'account':
      return {
        status: 502,
        type: 'provider_rejected',
        message: 'the API refuses this server; the operator is notified',
      }
  }
}
