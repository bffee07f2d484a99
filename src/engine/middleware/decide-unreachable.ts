import { AskError } from '../../core/errors/ask-error.ts'
import { getRetryAfterMs } from '../../core/errors/request-error.ts'
import type { FailureDecision } from './failure-decision.ts'

/**
 * Decides what follows when a request did not reach the API.
 * @param hasBeenReached whether any request has reached the API so far
 * @param haveOthersSucceeded whether other requests have succeeded since the previous such failure
 */
export function decideUnreachable(
  { requestError, attempts }: AskError,
  hasBeenReached: boolean,
  haveOthersSucceeded: boolean,
): FailureDecision {
  const waitMs = getRetryAfterMs(requestError)
  // The base URL may be wrong, so the run does not wait for `maxWaitMs`: one document tries until its
  // attempts are used up.
  if (!hasBeenReached)
    return {
      pauses: 'all',
      waitMs,
      hasPriority: true,
      planRetry: () => ({ isUncounted: false, waitMs: 0 }),
    }
  // Other requests succeed on existing connections.
  if (haveOthersSucceeded)
    return { pauses: 'document', error: new AskError(requestError, attempts, { isUncounted: true }) }
  return { pauses: 'all', waitMs, planRetry: () => ({ isUncounted: true, waitMs: 0 }) }
}
