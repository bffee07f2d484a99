/**
 * How much trouble the service is in, as gRPC's retry throttling counts it: a failure costs one token, a success gives
 * back a fifth. With half of the tokens gone it counts as down, and retrying each document would only add load.
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
 */
export interface RetryBudget {
  readonly tokens: number
}

const most = 20
const givenBack = 0.2
const afterOutage = 15

export const fullBudget: RetryBudget = { tokens: most }

export function failed({ tokens }: RetryBudget): RetryBudget {
  return { tokens: Math.max(0, tokens - 1) }
}

export function succeeded(budget: RetryBudget): RetryBudget {
  // A probe that came through ends the outage; the next single failure must not count as the old one going on.
  if (isDown(budget)) return { tokens: afterOutage }
  return { tokens: Math.min(most, budget.tokens + givenBack) }
}

/** The service as a whole is down, rather than one document unlucky. */
export function isDown({ tokens }: RetryBudget): boolean {
  return tokens < most / 2
}
