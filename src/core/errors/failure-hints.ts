import type { Failure } from './failure.ts'

/** What the user can do about failures, by `<kind> <type>`: `reply max_tokens`. Hints name settings as the caller does. */
export type FailureHints = ReadonlyMap<string, string>

/** Returns a failure with its hint at the end of its message, where there is one. */
export function addFailureHint(failure: Failure, hints: FailureHints): Failure {
  const hint = hints.get(`${failure.kind} ${failure.type}`)
  return hint === undefined ? failure : { ...failure, message: `${failure.message}; ${hint}` }
}
