import type { Outcome } from '../run/outcome.ts'
import { type Failure, formatFailure } from './failure.ts'
import { isTooLong } from './request-error.ts'

/** If this many documents fail first, with the same permanent error, the documents are not the cause. */
export const failFastThreshold = 5

/**
 * Creates a check of the first outcomes of a run. If the API rejects all of them for the same reason, it will
 * reject the rest too. For example, a wrong parameter is a 400 for every document.
 * @returns a function that takes each outcome, and returns the common failure once, when there are enough of
 * them
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
    // After a success or another error, the check never applies again.
    identicalFailures =
      message !== undefined && message === firstMessage ? identicalFailures + 1 : Number.POSITIVE_INFINITY
    return identicalFailures === failFastThreshold ? failure : undefined
  }
}

/** Whether a failure concerns its document, not the run: five documents that are too long do not end it. */
function isDocumentFailure({ kind, ...failure }: Failure): boolean {
  return typeof kind !== 'number' || isTooLong({ status: kind, ...failure })
}
