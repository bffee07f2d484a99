import type { Outcome } from '../run/outcome.ts'
import { type Failure, formatFailure } from './failure.ts'
import { isTooLong } from './request-error.ts'

/** The same permanent error on this many of the first documents is not caused by the documents. */
export const failFastThreshold = 5

/**
 * Watches the first outcomes of a run. If the service refuses all of them for one and the same reason, it will refuse
 * the rest too: a wrong parameter, say, which is a 400 for every document.
 * @returns given each outcome, the failure that all so far have in common, once there are enough of them
 */
export function createFailFastCheck(): (outcome: Outcome) => Failure | undefined {
  let firstMessage: string | undefined
  let identicalFailures = 0
  return (outcome) => {
    if (
      identicalFailures >= failFastThreshold ||
      outcome.status === 'skipped' ||
      outcome.status === 'pending'
    )
      return undefined
    const failure = outcome.status === 'failed' ? outcome.failure : undefined
    const isDocumentSpecific = failure === undefined || failure.transient || isDocumentFailure(failure)
    const message = isDocumentSpecific ? undefined : formatFailure(failure)
    firstMessage ??= message
    // A success, or another reason, and the documents differ after all: never asked again.
    identicalFailures =
      message !== undefined && message === firstMessage ? identicalFailures + 1 : Number.POSITIVE_INFINITY
    return identicalFailures === failFastThreshold ? failure : undefined
  }
}

/** Five long documents are that, and no reason to leave the short ones alone. */
function isDocumentFailure({ kind, ...failure }: Failure): boolean {
  return typeof kind !== 'number' || isTooLong({ status: kind, ...failure })
}
