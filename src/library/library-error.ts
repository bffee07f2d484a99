import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { describeAccountError } from '../core/errors/describe-account-error.ts'
import { type Failure, formatFailure, toFailure } from '../core/errors/failure.ts'
import { addFailureHint, type FailureHints } from '../core/errors/failure-hints.ts'
import {
  BudgetExceededError,
  RunError,
  UnknownPriceError,
  WaitTooLongError,
} from '../core/errors/run-error.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { UsageError } from '../errors.ts'
import { computeSpending, type Spending, type Usage } from './spending.ts'

/** What went wrong. */
export interface Problem {
  /** HTTP status of the last response; null where there was none, or where the answer itself is the problem. */
  readonly status: number | null
  /**
   * A stable word. The API's own: `invalid_request_error`, `overloaded_error`, …; of an answer that is no result:
   * `max_tokens`, `refusal`, `empty`, …; of the way there: `connection_error`, `timeout`, …; of a text that was not
   * sent: `empty_text`, `not_text`; or `configuration`, `budget_exceeded`, `wait_too_long`, `closed`.
   */
  readonly type: string
  /** For people. May hold text of the service, or of whatever answered in its place. */
  readonly message: string
  /** The same, asked again later, may well succeed. What a retry could cure at once was retried already. */
  readonly transient: boolean
  /** The service's id of the request, to report it with. */
  readonly requestId: string | null
}

/** Marks every instance, also those of another copy of this module. */
const brand = Symbol.for('claude-batch.ClaudeBatchError')

/** Why there is no answer, and what trying to get it took. */
export class ClaudeBatchError extends Error implements Problem, Spending {
  override readonly name = 'ClaudeBatchError'
  readonly status: number | null
  readonly type: string
  readonly transient: boolean
  readonly requestId: string | null
  readonly attempts: number
  readonly usage: Usage | null
  readonly costUsd: number | null
  readonly lostReplies: number
  /** Text that came all the same, of an answer that was cut off or broke off; null where there is none. */
  readonly partial: string | null

  /** True of an error from another copy of the package, too: bundlers may put several into one program. */
  static override [Symbol.hasInstance](value: unknown): value is ClaudeBatchError {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this method.
    if (this !== ClaudeBatchError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && brand in value
  }

  constructor(problem: Problem, attempts: readonly Attempt[] = [], partial = '') {
    super(problem.message)
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

/** A failure in words for a caller; its message is the service's own. */
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

/** What a caller can do about failures, in the library's options. */
const hints: FailureHints = new Map([['reply max_tokens', 'raise maxTokens']])

/** A failure as an error, whose message stands alone in a log: one line, with status and type. */
export function createFailureError(
  failure: Failure,
  attempts: readonly Attempt[],
  partial = '',
): ClaudeBatchError {
  const message = escapeControlChars(formatFailure(addFailureHint(failure, hints)))
  return new ClaudeBatchError({ ...toProblem(failure), message }, attempts, partial)
}

export function createClosedError(): ClaudeBatchError {
  return createOwnError('closed', 'this client was closed')
}

/**
 * What a caller is told of something thrown inside. Bugs are handed on as they are, with their stacks.
 * @param model the id that was asked for
 * @param endpoint the base URL that was asked
 * @param partial text that came before it was thrown
 */
export function toPublicError(
  thrown: unknown,
  { model = '', endpoint = '', partial = '' }: { model?: string; endpoint?: string; partial?: string } = {},
): unknown {
  const error = thrown instanceof StoppedError ? thrown.cause : thrown
  if (error instanceof UsageError) return createOwnError('configuration', error.message)
  if (error instanceof RunError && error.cause instanceof AskError)
    return toPublicError(error.cause, { model, endpoint, partial })
  if (error instanceof RunError) {
    const attempts = thrown instanceof StoppedError ? thrown.attempts : []
    const { type, text } = describeRunError(error)
    return createOwnError(type, text, attempts, partial)
  }
  if (!(error instanceof AskError)) return error
  const { requestError, attempts } = error
  if (classifyError(requestError) !== 'account')
    return createFailureError(toFailure(requestError), attempts, partial)
  const problem = {
    ...toProblem(toFailure(requestError)),
    message: describeAccountError(requestError, model, endpoint),
  }
  return new ClaudeBatchError(problem, attempts, partial)
}

type OwnErrorType = 'configuration' | 'budget_exceeded' | 'wait_too_long' | 'closed'

/** The same errors as in `errors.ts`, in the words of the library's options. */
function describeRunError(error: RunError): { readonly type: OwnErrorType; readonly text: string } {
  if (error instanceof BudgetExceededError)
    return { type: 'budget_exceeded', text: error.describe('maxCostUsd') }
  if (error instanceof UnknownPriceError) return { type: 'configuration', text: error.describe('maxCostUsd') }
  if (error instanceof WaitTooLongError)
    return { type: 'wait_too_long', text: `${error.describe('maxWaitMs')}; try again later` }
  return { type: 'wait_too_long', text: error.message }
}

function createOwnError(
  type: OwnErrorType,
  message: string,
  attempts: readonly Attempt[] = [],
  partial = '',
): ClaudeBatchError {
  const problem = { status: null, type, message, transient: type === 'wait_too_long', requestId: null }
  return new ClaudeBatchError(problem, attempts, partial)
}
