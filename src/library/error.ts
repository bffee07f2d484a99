import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { judge } from '../core/errors/classify-error.ts'
import { type Failure, failureLine, failureOf } from '../core/errors/failure.ts'
import { adviceFor } from '../core/errors/remediation.ts'
import type { Usage } from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { printable } from '../core/text/escape-control.ts'
import { type Exit, RunError, UsageError } from '../errors.ts'
import { type Spending, spendingOf } from './spending.ts'
import { inLibraryWords } from './words.ts'

/** What went wrong. */
export interface Problem {
  /** HTTP status of the last response; null where there was none, or where the answer itself is the problem. */
  readonly status: number | null
  /**
   * A stable word. The API's own: `invalid_request_error`, `overloaded_error`, …; of an answer that is no result:
   * `max_tokens`, `refusal`, `empty`, …; of the way there: `connection_error`, `timeout`, …; of a text that was not
   * sent: `empty_text`, `not_text`; or `configuration`, `spent`, `try_later`, `closed`.
   */
  readonly type: string
  /** For people. May hold text of the service, or of whatever answered in its place. */
  readonly message: string
  /** The same, asked again later, may well succeed. What a retry could cure at once was retried already. */
  readonly transient: boolean
  /** The service's id of the request, to report it with. */
  readonly requestId: string | null
}

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
  readonly lost: number
  /** Text that came all the same, of an answer that was cut off or broke off; null where there is none. */
  readonly partial: string | null

  constructor(problem: Problem, attempts: readonly Attempt[] = [], partial = '') {
    super(problem.message)
    this.status = problem.status
    this.type = problem.type
    this.transient = problem.transient
    this.requestId = problem.requestId
    const spending = spendingOf(attempts)
    this.attempts = spending.attempts
    this.usage = spending.usage
    this.costUsd = spending.costUsd
    this.lost = spending.lost
    this.partial = partial === '' ? null : partial
  }
}

/** A failure in words for a caller; its message is the service's own. */
export function problemOf({ kind, type, message, transient, requestId }: Failure): Problem {
  return {
    status: typeof kind === 'number' ? kind : null,
    type,
    message: inLibraryWords(message),
    transient,
    requestId: requestId ?? null,
  }
}

/** A failure as an error, whose message stands alone in a log: one line, with status and type. */
export function errorOf(failure: Failure, attempts: readonly Attempt[], partial = ''): ClaudeBatchError {
  const message = inLibraryWords(printable(failureLine(failure)))
  return new ClaudeBatchError({ ...problemOf(failure), message }, attempts, partial)
}

export function closedError(): ClaudeBatchError {
  return ownError('closed', 'this client was closed')
}

/**
 * What a caller is told of something thrown inside. Bugs are handed on as they are, with their stacks.
 * @param model the id that was asked for
 * @param endpoint the base URL that was asked
 * @param partial text that came before it was thrown
 */
export function errorFrom(
  thrown: unknown,
  { model = '', endpoint = '', partial = '' }: { model?: string; endpoint?: string; partial?: string } = {},
): unknown {
  const error = thrown instanceof StoppedError ? thrown.cause : thrown
  if (error instanceof UsageError) return ownError('configuration', error.message)
  if (error instanceof RunError && error.cause instanceof AskError)
    return errorFrom(error.cause, { model, endpoint, partial })
  if (error instanceof RunError) {
    const attempts = thrown instanceof StoppedError ? thrown.attempts : []
    return ownError(typeOf.get(error.exit) ?? 'try_later', error.message, attempts, partial)
  }
  if (!(error instanceof AskError)) return error
  const { fault, attempts } = error
  if (judge(fault).blame !== 'run') return errorOf(failureOf(fault), attempts, partial)
  const problem = { ...problemOf(failureOf(fault)), message: adviceFor(fault, model, endpoint) }
  return new ClaudeBatchError(problem, attempts, partial)
}

type OwnType = 'configuration' | 'spent' | 'try_later' | 'closed'

const typeOf: ReadonlyMap<Exit, OwnType> = new Map([
  ['limit', 'spent'],
  ['usage', 'configuration'],
])

function ownError(
  type: OwnType,
  text: string,
  attempts: readonly Attempt[] = [],
  partial = '',
): ClaudeBatchError {
  const message = inLibraryWords(text)
  const problem = { status: null, type, message, transient: type === 'try_later', requestId: null }
  return new ClaudeBatchError(problem, attempts, partial)
}
