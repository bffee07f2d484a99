import { sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import type * as core from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'

/** Tokens as billed, each kind with a price of its own. The same counts as in the API's `usage`. */
export interface Usage {
  /** Input that was neither read from nor written to the prompt cache. */
  readonly inputTokens: number
  /** Input written to the cache for 5 minutes. */
  readonly cacheCreation5mInputTokens: number
  /** Input written to the cache for an hour. */
  readonly cacheCreation1hInputTokens: number
  readonly cacheReadInputTokens: number
  /** All output that is billed, including thinking. */
  readonly outputTokens: number
}

/** What a reply took, over all the requests that were sent for it. */
export interface Spending {
  /** Requests sent, including retries. */
  readonly attempts: number
  /** Tokens billed; null where the API did not count them. */
  readonly usage: Usage | null
  /** US dollars; null is unknown: not counted, or a model without a known price. Never 0 for something that was billed. */
  readonly costUsd: number | null
  /** Requests whose reply was lost in transit; they may be billed too, and are in none of the sums. */
  readonly lostReplies: number
}

export function computeSpending(attempts: readonly Attempt[]): Spending {
  const cost = sumAttemptCosts(attempts)
  return {
    attempts: attempts.length,
    usage: cost.usage === undefined ? null : toPublicUsage(cost.usage),
    costUsd: toUsdOrNull(cost),
    lostReplies: cost.lostReplies,
  }
}

function toPublicUsage(usage: core.Usage): Usage {
  return {
    inputTokens: usage.input_tokens,
    cacheCreation5mInputTokens: usage.cache_creation_5m_input_tokens,
    cacheCreation1hInputTokens: usage.cache_creation_1h_input_tokens,
    cacheReadInputTokens: usage.cache_read_input_tokens,
    outputTokens: usage.output_tokens,
  }
}
