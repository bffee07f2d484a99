import { sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import type { Usage } from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'

/** What an answer took, over all the requests that were sent for it. */
export interface Spending {
  /** Requests sent, retries among them. */
  readonly attempts: number
  /** Tokens billed; null where the service did not count them. */
  readonly usage: Usage | null
  /** US dollars; null is unknown: not counted, or a model without a known price. Never 0 for something that was billed. */
  readonly costUsd: number | null
  /** Requests whose answer was lost on the way; they may be billed too, and are in none of the sums. */
  readonly lost: number
}

export function computeSpending(attempts: readonly Attempt[]): Spending {
  const cost = sumAttemptCosts(attempts)
  return {
    attempts: attempts.length,
    usage: cost.usage ?? null,
    costUsd: toUsdOrNull(cost),
    lost: cost.lostReplies,
  }
}
