import type { Outcome } from '../run/outcome.ts'
import { type Failure, failureLine } from './failure.ts'
import { isTooLong } from './request-error.ts'

/** The same permanent error on so many of the first documents is not theirs. */
const enough = 5

/**
 * Watches the first outcomes of a run. If the service refuses all of them for one and the same reason, it will refuse
 * the rest too: a wrong parameter, say, which is a 400 for every document.
 * @returns given each outcome, the failure that all so far have in common, once there are enough of them
 */
export function createBreaker(): (outcome: Outcome) => Failure | undefined {
  let first: string | undefined
  let inARow = 0
  return (outcome) => {
    if (inARow >= enough || outcome.status === 'skipped' || outcome.status === 'pending') return undefined
    const failure = outcome.status === 'failed' ? outcome.failure : undefined
    const theirs = failure === undefined || failure.transient || isDocuments(failure)
    const line = theirs ? undefined : failureLine(failure)
    first ??= line
    // A success, or another reason, and the documents differ after all: never asked again.
    inARow = line !== undefined && line === first ? inARow + 1 : Number.POSITIVE_INFINITY
    return inARow === enough ? failure : undefined
  }
}

/** Five long documents are that, and no reason to leave the short ones alone. */
function isDocuments({ kind, ...failure }: Failure): boolean {
  return typeof kind !== 'number' || isTooLong({ status: kind, ...failure })
}
