import { mayBeBilled } from '../errors/request-error.ts'
import type { Attempt } from '../request/attempt.ts'
import { formatExactUsd, type Picodollars } from './pricing-rules.ts'
import { addUsage, type Usage, zeroUsage } from './usage.ts'

/** What a document cost, over all its attempts. */
export interface DocumentCost {
  /** Tokens billed; undefined where the server did not count those of every answer. */
  readonly usage: Usage | undefined
  /** Undefined is unknown: uncounted, or a model without a price. */
  readonly cost: Picodollars | undefined
  /** The same of those answers alone for which it is known; undefined where it is known of none. */
  readonly known: Pick<DocumentCost, 'usage' | 'cost'>
  /** Answers that are not, or not wholly, in `known`. */
  readonly repliesWithUnknownCost: number
  /** Attempts whose answer was lost on the way: they may be billed too. */
  readonly lostReplies: number
}

export function sumAttemptCosts(attempts: readonly Attempt[]): DocumentCost {
  const lost = attempts.filter(({ error }) => error !== undefined && mayBeBilled(error)).length
  const replies = attempts.filter(({ error: fault, usage }) => fault === undefined || usage !== undefined)
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

/** As a number for JSON; null is unknown. */
export function toUsdOrNull({ cost }: Pick<DocumentCost, 'cost'>): number | null {
  return cost === undefined ? null : Number(formatExactUsd(cost))
}
