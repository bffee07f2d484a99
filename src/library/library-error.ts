import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { describeAccountError } from '../core/errors/describe-account-error.ts'
import { type Failure, formatFailure, toFailure } from '../core/errors/failure.ts'
import { addFailureHint, type FailureHints } from '../core/errors/failure-hints.ts'
import {
  BatchError,
  BudgetExceededError,
  RunError,
  UnknownBatchError,
  UnknownPriceError,
  WaitTooLongError,
} from '../core/errors/run-error.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { UsageError } from '../errors.ts'
import { computeSpending, type Spending, type Usage } from './spending.ts'
import { StoreError } from './store.ts'

/** An error, as the library reports it. */
export interface Problem {
  /** HTTP status of the last response; null if there was none, or if the answer itself is the problem. */
  readonly status: number | null
  /**
   * A stable identifier:
   * - from the API: `invalid_request_error`, `overloaded_error`, …
   * - for an unusable answer: `max_tokens`, `refusal`, `empty`, `schema`, …
   * - for the connection: `connection_error`, `timeout`, …
   * - for a text that was not sent: `empty_text`, `not_text`, `invalid_upload`
   * - for a document that cannot be read: `unreadable`, `encrypted`, `malformed`, `too_large`, …
   * - otherwise: `configuration`, `no_input`, `io_error`, `store`, `batch`, `budget_exceeded`, `wait_too_long` or `closed`
   */
  readonly type: string
  /** A description for people. May contain text of the API, or of a proxy that answered in its place. */
  readonly message: string
  /** Whether the same request may succeed later. Immediate retries were already made. */
  readonly transient: boolean
  /** The API's request id, for support requests. */
  readonly requestId: string | null
}

/** Marks every instance, including those of another copy of this module. */
const brand = Symbol.for('claude-batch.ClaudeBatchError')

/**
 * The error if there is no answer, with the attempts and the cost so far. Its `cause` is the error of the SDK or the
 * system, if there is one, with keys removed.
 */
export class ClaudeBatchError extends Error implements Problem, Spending {
  /** Always `ClaudeBatchError`. */
  override readonly name = 'ClaudeBatchError'
  readonly status: number | null
  readonly type: string
  readonly transient: boolean
  readonly requestId: string | null
  readonly attempts: number
  readonly usage: Usage | null
  readonly costUsd: number | null
  readonly lostReplies: number
  /** The text of an incomplete answer; null without any text. */
  readonly partial: string | null

  /**
   * `error instanceof ClaudeBatchError` is also true for an error from another copy of the package, because bundlers may
   * put several copies into one program.
   * @param value any value
   */
  static override [Symbol.hasInstance](value: unknown): value is ClaudeBatchError {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this method.
    if (this !== ClaudeBatchError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && brand in value
  }

  /** @internal */
  constructor(problem: Problem, attempts: readonly Attempt[] = [], partial = '', options?: ErrorOptions) {
    super(problem.message, options)
    Object.defineProperty(this, brand, { value: true })
    this.status = problem.status
    this.type = problem.type
    this.transient = problem.transient
    this.requestId = problem.requestId
    const spending = computeSpending(attempts)
    this.attempts = spending.attempts
    this.usage = spending.usage
    this.costUsd = spending.costUsd
    this.lostReplies = spending.lostReplies
    this.partial = partial === '' ? null : partial
  }
}

/** Converts a failure for the caller; the message is the API's. */
export function toProblem(failure: Failure): Problem {
  const { kind, type, message, transient, requestId } = addFailureHint(failure, hints)
  return {
    status: typeof kind === 'number' ? kind : null,
    type,
    message,
    transient,
    requestId: requestId ?? null,
  }
}

/** What a caller can do about failures, with the names of the library's options. */
const hints: FailureHints = new Map([['reply max_tokens', 'raise maxTokens']])

/** Converts a failure to an error whose message is complete in a log: one line, with status and type. */
export function createFailureError(
  failure: Failure,
  attempts: readonly Attempt[],
  partial = '',
  options?: ErrorOptions,
): ClaudeBatchError {
  const message = escapeControlChars(formatFailure(addFailureHint(failure, hints)))
  return new ClaudeBatchError({ ...toProblem(failure), message }, attempts, partial, options)
}

/** Creates the error of documents that are not there, or of a system that opens no more files. */
export function createReadError(
  type: 'configuration' | 'no_input' | 'io_error',
  message: string,
): ClaudeBatchError {
  return createOwnError(type, message)
}

export function createClosedError(): ClaudeBatchError {
  return createOwnError('closed', 'this client was closed')
}

/**
 * Converts an internal error to the error that the caller gets. Bugs are returned unchanged, with their
 * stacks.
 * @param model the id of the requested model
 * @param endpoint the base URL in use
 * @param partial the text that was received before the error
 */
export function toPublicError(
  thrown: unknown,
  { model = '', endpoint = '', partial = '' }: { model?: string; endpoint?: string; partial?: string } = {},
): unknown {
  const error = thrown instanceof StoppedError ? thrown.cause : thrown
  if (error instanceof UsageError) return createOwnError('configuration', error.message)
  // What the caller's store threw, unchanged.
  if (error instanceof StoreError && error.cause !== undefined) return error.cause
  if (error instanceof RunError && error.cause instanceof AskError)
    return toPublicError(error.cause, { model, endpoint, partial })
  if (error instanceof RunError) {
    const attempts = thrown instanceof StoppedError ? thrown.attempts : []
    const { type, text, transient } = describeRunError(error)
    return createOwnError(type, text, { attempts, partial, transient })
  }
  if (!(error instanceof AskError)) return error
  const { requestError, attempts, cause } = error
  const options = cause === undefined ? {} : { cause }
  if (classifyError(requestError) !== 'account')
    return createFailureError(toFailure(requestError), attempts, partial, options)
  const problem = {
    ...toProblem(toFailure(requestError)),
    message: describeAccountError(requestError, model, endpoint, "use mode: 'live'"),
  }
  return new ClaudeBatchError(problem, attempts, partial, options)
}

type OwnErrorType =
  | 'configuration'
  | 'no_input'
  | 'io_error'
  | 'store'
  | 'batch'
  | 'budget_exceeded'
  | 'wait_too_long'
  | 'closed'

interface OwnError {
  readonly type: OwnErrorType
  readonly text: string
  readonly transient: boolean
}

/** Describes the same errors as `errors.ts`, with the names of the library's options. */
function describeRunError(error: RunError): OwnError {
  if (error instanceof BudgetExceededError)
    return { type: 'budget_exceeded', text: error.describe('maxCostUsd'), transient: false }
  if (error instanceof UnknownPriceError)
    return { type: 'configuration', text: error.describe('maxCostUsd'), transient: false }
  if (error instanceof WaitTooLongError)
    return { type: 'wait_too_long', text: `${error.describe('maxWaitMs')}; try again later`, transient: true }
  if (error instanceof UnknownBatchError) {
    const text = `${error.message}; if it is really gone, delete batch/${error.localId} from the store`
    return { type: 'batch', text, transient: false }
  }
  if (error instanceof BatchError) return { type: 'batch', text: error.message, transient: error.isTransient }
  if (error instanceof StoreError) return { type: 'store', text: error.message, transient: false }
  return { type: 'wait_too_long', text: error.message, transient: true }
}

function createOwnError(
  type: OwnErrorType,
  message: string,
  {
    attempts = [],
    partial = '',
    transient = false,
  }: { attempts?: readonly Attempt[]; partial?: string; transient?: boolean } = {},
): ClaudeBatchError {
  return new ClaudeBatchError({ status: null, type, message, transient, requestId: null }, attempts, partial)
}
