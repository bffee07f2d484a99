import { mayBeBilled } from '../errors/request-error.ts'
import type { Attempt } from '../request/attempt.ts'
import { formatExactUsd, type Picodollars } from './pricing-rules.ts'
import { addUsage, type Usage, zeroUsage } from './usage.ts'

/** The cost of a document, over all its attempts. */
export interface DocumentCost {
  /** Billed tokens; undefined if the server did not count those of every reply. */
  readonly usage: Usage | undefined
  /** Undefined if unknown for any reply: no token counts, or a model without a price. */
  readonly cost: Picodollars | undefined
  /** Sums over only those replies for which they are known; undefined if they are known for none. */
  readonly known: Pick<DocumentCost, 'usage' | 'cost'>
  /** Replies that are missing, in whole or in part, from `known`. */
  readonly repliesWithUnknownCost: number
  /** Attempts whose reply was lost in transit; they may be billed. */
  readonly lostReplies: number
}

/** Sums up usage and cost of the attempts for a document. */
export function sumAttemptCosts(attempts: readonly Attempt[]): DocumentCost {
  const lost = attempts.filter(({ error }) => error !== undefined && mayBeBilled(error)).length
  const replies = attempts.filter(({ error, usage }) => error === undefined || usage !== undefined)
  const usages = replies.flatMap(({ usage }) => usage ?? [])
  const costs = replies.flatMap(({ cost }) => cost ?? [])
  const usage = usages.reduce(addUsage, zeroUsage)
  const cost = costs.reduce((sum, cost) => sum + cost, 0n)
  const replyCount = replies.length
  return {
    usage: usages.length === replyCount ? usage : undefined,
    cost: costs.length === replyCount ? cost : undefined,
    known: {
      usage: usages.length > 0 || replyCount === 0 ? usage : undefined,
      cost: costs.length > 0 || replyCount === 0 ? cost : undefined,
    },
    repliesWithUnknownCost: replies.filter(({ usage, cost }) => usage === undefined || cost === undefined)
      .length,
    lostReplies: lost,
  }
}

/** Returns a cost as a number for JSON: USD; null if unknown. */
export function toUsdOrNull({ cost }: Pick<DocumentCost, 'cost'>): number | null {
  return cost === undefined ? null : Number(formatExactUsd(cost))
}
