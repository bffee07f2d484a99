import type { AskError } from '../../core/errors/ask-error.ts'
import { getRetryAfterMs } from '../../core/errors/request-error.ts'
import { type FailureDecision, isRetryableRateLimit } from './failure-decision.ts'

/** A limit per minute is full again after a minute: a refusal that asks for more is not for want of room. */
const bucketRefillMs = 60_000

/**
 * Decides what follows when a document fails for reasons of its own: it waits alone, unless it needs the room that
 * others would take.
 * @param priorityCount how often it was the first to be sent after a pause
 * @param isLargest whether it is larger than all documents that were answered
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
  // Others may always have taken the room it needs, so it is the first to be sent after a pause: once, or each time
  // where it is so large that it needs a limit which was left alone for long.
  return {
    pauses: 'all',
    waitMs,
    hasPriority: true,
    planRetry: () => ({ isUncounted: false, waitMs: 0 }),
  }
}
