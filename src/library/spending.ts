import { type DocumentCost, sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import { addUsage, type Usage as CoreUsage, zeroUsage } from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'

/** Billed tokens, by kind; each kind has a separate price. The counts are those of the API's `usage`. */
export interface Usage {
  /** Input that was neither read from nor written to the prompt cache. */
  readonly inputTokens: number
  /** Input written to the cache for 5 minutes. */
  readonly cacheCreation5mInputTokens: number
  /** Input written to the cache for an hour. */
  readonly cacheCreation1hInputTokens: number
  /** Input read from the cache. */
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

/** Running totals. Requests in flight are not included. */
export interface Totals extends Spending {
  /** What is left of `maxCostUsd`, in US dollars; null without a cap. */
  readonly remainingUsd: number | null
}

/** A sum of attempts that grows. */
export interface SpendingSum {
  add(attempts: readonly Attempt[]): void
  get(): Spending
}

export function createSpendingSum(): SpendingSum {
  let sum: Spent = { attempts: 0, usage: zeroUsage, cost: 0n, lostReplies: 0 }
  return {
    add(attempts) {
      const { usage, cost, lostReplies } = sumAttemptCosts(attempts)
      sum = {
        attempts: sum.attempts + attempts.length,
        usage: sum.usage && usage && addUsage(sum.usage, usage),
        cost: sum.cost === undefined || cost === undefined ? undefined : sum.cost + cost,
        lostReplies: sum.lostReplies + lostReplies,
      }
    },
    get: () => toSpending(sum),
  }
}

interface Spent extends Pick<DocumentCost, 'usage' | 'cost' | 'lostReplies'> {
  readonly attempts: number
}

export function computeSpending(attempts: readonly Attempt[]): Spending {
  return toSpending({ ...sumAttemptCosts(attempts), attempts: attempts.length })
}

function toSpending({ attempts, usage, cost, lostReplies }: Spent): Spending {
  return {
    attempts,
    usage: usage === undefined ? null : toPublicUsage(usage),
    costUsd: toUsdOrNull({ cost }),
    lostReplies,
  }
}

function toPublicUsage(usage: CoreUsage): Usage {
  return {
    inputTokens: usage.input_tokens,
    cacheCreation5mInputTokens: usage.cache_creation_5m_input_tokens,
    cacheCreation1hInputTokens: usage.cache_creation_1h_input_tokens,
    cacheReadInputTokens: usage.cache_read_input_tokens,
    outputTokens: usage.output_tokens,
  }
}
