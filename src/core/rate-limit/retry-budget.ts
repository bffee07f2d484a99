/**
 * Detects an outage like gRPC's retry throttling (which calls credits "tokens"). A failure costs one credit,
 * and a success returns a fifth of a credit. Below half of the credits, the API is considered down: retries
 * of each document would only add load.
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
 */
export interface RetryBudget {
  readonly credits: number
}

const maxCredits = 20
const creditsPerSuccess = 0.2
const creditsAfterOutage = 15

/** The retry budget at the start of a run. */
export const fullRetryBudget: RetryBudget = { credits: maxCredits }

/** Returns the budget after a failed request. */
export function recordFailure({ credits }: RetryBudget): RetryBudget {
  return { credits: Math.max(0, credits - 1) }
}

/** Returns the budget after a successful request. */
export function recordSuccess(budget: RetryBudget): RetryBudget {
  // A successful probe ends the outage. One more failure must not restart it immediately.
  if (isOutage(budget)) return { credits: creditsAfterOutage }
  return { credits: Math.min(maxCredits, budget.credits + creditsPerSuccess) }
}

/** Whether the API is considered down for all documents, not only for one. */
export function isOutage({ credits }: RetryBudget): boolean {
  return credits < maxCredits / 2
}
