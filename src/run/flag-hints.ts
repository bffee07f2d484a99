import type { Failure } from '../core/errors/failure.ts'
import { addFailureHint, type FailureHints } from '../core/errors/failure-hints.ts'

/** Returns a failure whose message ends with a flag that helps, if there is one. */
export function addFlagHint(failure: Failure): Failure {
  return addFailureHint(failure, hints)
}

const hints: FailureHints = new Map([
  ['reply max_tokens', 'raise --max-tokens'],
  ['output modified', 'use --force to overwrite it'],
  ['output untracked', 'use --force to overwrite it'],
])
