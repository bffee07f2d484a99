import { sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import type * as core from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'

/** Billed tokens, by kind; each kind has a separate price. The counts are those of the API's `usage`. */
export interface Usage {
  /** Input that was neither read from nor written to the prompt cache. */
  readonly inputTokens: number
  /** Input written to the cache for 5 minutes. */
  readonly cacheCreation5mInputTokens: number
  /** Input written to the cache for an hour. */
  readonly cacheCreation1hInputTokens: number
  readonly cacheReadInputTokens: number
  /** All billed output, including thinking. */
  readonly outputTokens: number
}

/** Attempts, tokens and cost of a reply, summed over all requests that were sent for it. */
export interface Spending {
  /** Requests sent, including retries. */
  readonly attempts: number
  /** Billed tokens; null if the API did not count them. */
  readonly usage: Usage | null
  /**
   * US dollars; null if unknown, because tokens were not counted or the model has no known price. Never 0 for
   * a billed request.
   */
  readonly costUsd: number | null
  /** Requests whose reply was lost in transit. They may be billed too, and are not included in the sums. */
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
