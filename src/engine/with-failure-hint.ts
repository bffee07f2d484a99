import type { Failure } from '../core/errors/failure.ts'
import type { Outcome } from '../core/run/outcome.ts'

/**
 * Adds to the message of a failure what the user can do about it. The command line and the library have
 * different hints.
 */
export type AddHint = (failure: Failure) => Failure

/** Returns the outcome, with a hint added if it is a failure. */
export function withFailureHint(outcome: Outcome, addHint: AddHint = (failure) => failure): Outcome {
  return outcome.status === 'failed' ? { ...outcome, failure: addHint(outcome.failure) } : outcome
}
