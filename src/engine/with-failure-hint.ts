import type { Failure } from '../core/errors/failure.ts'
import type { Outcome } from '../core/run/outcome.ts'

/** Adds to the message of a failure what the user can do about it, in the words of whoever started the run. */
export type AddHint = (failure: Failure) => Failure

/** Returns an outcome whose failure, if it is one, has its hint. */
export function withFailureHint(outcome: Outcome, addHint: AddHint = (failure) => failure): Outcome {
  return outcome.status === 'failed' ? { ...outcome, failure: addHint(outcome.failure) } : outcome
}
