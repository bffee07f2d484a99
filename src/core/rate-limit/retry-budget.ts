/**
 * How much trouble the service is in, as gRPC's retry throttling counts it: a failure costs one token, a success gives
 * back a fifth. With half of the tokens gone it counts as down, and retrying each document would only add load.
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
 */
export interface RetryBudget {
  readonly tokens: number
}

const maxTokens = 20
const tokensPerSuccess = 0.2
const tokensAfterOutage = 15

export const fullRetryBudget: RetryBudget = { tokens: maxTokens }

export function recordFailure({ tokens }: RetryBudget): RetryBudget {
  return { tokens: Math.max(0, tokens - 1) }
}

export function recordSuccess(budget: RetryBudget): RetryBudget {
  // A probe that came through ends the outage; the next single failure must not count as the old one going on.
  if (isOutage(budget)) return { tokens: tokensAfterOutage }
  return { tokens: Math.min(maxTokens, budget.tokens + tokensPerSuccess) }
}

/** The service as a whole is down, rather than one document unlucky. */
export function isOutage({ tokens }: RetryBudget): boolean {
  return tokens < maxTokens / 2
}
