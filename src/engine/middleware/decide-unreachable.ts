import { AskError } from '../../core/errors/ask-error.ts'
import { getRetryAfterMs } from '../../core/errors/request-error.ts'
import type { FailureDecision } from './failure-decision.ts'

/**
 * Decides what follows when a request did not reach the API.
 * @param hasBeenReached whether any request has reached the API so far
 * @param haveOthersSucceeded whether others were answered since the last time
 */
export function decideUnreachable(
  { requestError, attempts }: AskError,
  hasBeenReached: boolean,
  haveOthersSucceeded: boolean,
): FailureDecision {
  const waitMs = getRetryAfterMs(requestError)
  // The address may be wrong, which is not worth the longest wait: one document tries until it has no attempts left.
  if (!hasBeenReached)
    return {
      pauses: 'all',
      waitMs,
      hasPriority: true,
      planRetry: () => ({ isUncounted: false, waitMs: 0 }),
    }
  // Others get through on connections that they have.
  if (haveOthersSucceeded)
    return { pauses: 'document', error: new AskError(requestError, attempts, { isUncounted: true }) }
  return { pauses: 'all', waitMs, planRetry: () => ({ isUncounted: true, waitMs: 0 }) }
}
