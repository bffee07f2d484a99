import { count, describe, digits, objectOf, type TypeOf } from '../text/shape.ts'
import { addUsage, subtractUsage, type Usage, usageShape, zeroUsage } from './usage.ts'

/** Sums over documents in the ledger. They are exact, so their order does not matter. */
export const totalsShape = objectOf({
  summarized: count,
  failed: count,
  pending: count,
  usage: describe(usageShape, 'tokens billed, as far as the API counted them'),
  cost_picodollars: describe(digits, 'whole picodollars (10⁻¹² US dollars) as text; see `Picodollars`'),
  documents_with_unknown_cost: describe(count, 'documents whose cost is unknown, in whole or in part'),
  lost_replies: describe(count, 'attempts whose reply was lost in transit; they may be billed'),
})
export interface Totals extends TypeOf<typeof totalsShape> {}

export const emptyTotals: Totals = {
  summarized: 0,
  failed: 0,
  pending: 0,
  usage: zeroUsage,
  cost_picodollars: '0',
  documents_with_unknown_cost: 0,
  lost_replies: 0,
}

/** The fields of a ledger entry that are summed up. */
interface CountedDocument {
  readonly status: 'summarized' | 'failed' | 'pending'
  readonly usage: Usage | null
  readonly cost_usd: number | null
  readonly replies_with_unknown_cost?: number
  readonly lost_replies?: number
}

export function toTotals({
  status,
  usage,
  cost_usd,
  replies_with_unknown_cost: unknownCosts = 0,
  lost_replies = 0,
}: CountedDocument): Totals {
  return {
    ...emptyTotals,
    [status]: 1,
    usage: usage ?? zeroUsage,
    // Below $9,000, a JSON number in USD is exact to the picodollar.
    cost_picodollars: String(BigInt(Math.round((cost_usd ?? 0) * 1e12))),
    documents_with_unknown_cost: cost_usd === null || usage === null || unknownCosts > 0 ? 1 : 0,
    lost_replies,
  }
}

export function addTotals(a: Totals, b: Totals): Totals {
  return {
    summarized: a.summarized + b.summarized,
    failed: a.failed + b.failed,
    pending: a.pending + b.pending,
    usage: addUsage(a.usage, b.usage),
    cost_picodollars: String(BigInt(a.cost_picodollars) + BigInt(b.cost_picodollars)),
    documents_with_unknown_cost: a.documents_with_unknown_cost + b.documents_with_unknown_cost,
    lost_replies: a.lost_replies + b.lost_replies,
  }
}

/** Returns the larger of both values of each sum. If one of two sets contains the other, this is its totals. */
export function maxTotals(a: Totals, b: Totals): Totals {
  return addTotals(a, subtractTotals(b, a))
}

/** Returns what `a` has more than `b`; no sum is negative. */
export function subtractTotals(a: Totals, b: Totals): Totals {
  const cost = BigInt(a.cost_picodollars) - BigInt(b.cost_picodollars)
  return {
    summarized: Math.max(0, a.summarized - b.summarized),
    failed: Math.max(0, a.failed - b.failed),
    pending: Math.max(0, a.pending - b.pending),
    usage: subtractUsage(a.usage, b.usage),
    cost_picodollars: String(cost < 0n ? 0n : cost),
    documents_with_unknown_cost: Math.max(0, a.documents_with_unknown_cost - b.documents_with_unknown_cost),
    lost_replies: Math.max(0, a.lost_replies - b.lost_replies),
  }
}

/** Whether two totals are the same. */
export function areTotalsEqual(a: Totals, b: Totals): boolean {
  const isEmpty = (totals: Totals) => JSON.stringify(totals) === JSON.stringify(emptyTotals)
  return isEmpty(subtractTotals(a, b)) && isEmpty(subtractTotals(b, a))
}
