import type { AskError } from '../../core/errors/ask-error.ts'
import { getRetryAfterMs } from '../../core/errors/request-error.ts'
import { type FailureDecision, isRetryableRateLimit } from './failure-decision.ts'

/** A limit per minute refills within a minute, so a longer requested wait has another reason. */
const bucketRefillMs = 60_000

/**
 * Decides what follows from a failure that concerns one document. The document waits alone, unless it needs
 * capacity that other documents would use up.
 * @param priorityCount how often the document was the first to be sent after a pause
 * @param isLargest whether it is larger than all answered documents
 */
export function decideDocumentFailure(
  error: AskError,
  priorityCount: number,
  isLargest: boolean,
): FailureDecision {
  const waitMs = getRetryAfterMs(error.requestError) ?? 1000 * 2 ** priorityCount
  if (
    !isRetryableRateLimit(error.requestError) ||
    waitMs > bucketRefillMs ||
    (priorityCount > 0 && !isLargest)
  )
    return { pauses: 'document', error }
  // Other documents may have used up the capacity that it needs, so it is sent first after a pause. It gets
  // that priority once, or repeatedly if it is so large that it needs a completely refilled limit.
  return {
    pauses: 'all',
    waitMs,
    hasPriority: true,
    planRetry: () => ({ isUncounted: false, waitMs: 0 }),
  }
}
