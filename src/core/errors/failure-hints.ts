import type { Failure } from './failure.ts'

/** Hints for users about failures, by `<kind> <type>`: `reply max_tokens`. They use the caller's terms. */
export type FailureHints = ReadonlyMap<string, string>

/**
 * Returns a failure with its hint, if there is one, at the end of the message. A failure of an earlier run has it already.
 */
export function addFailureHint(failure: Failure, hints: FailureHints): Failure {
  const hint = hints.get(`${failure.kind} ${failure.type}`)
  return hint === undefined || failure.message.endsWith(`; ${hint}`)
    ? failure
    : { ...failure, message: `${failure.message}; ${hint}` }
}
