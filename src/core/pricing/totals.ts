import { addUsage, type Usage, zeroUsage } from './usage.ts'

/** What documents of the ledger come to. The sums are exact in any order. */
export interface Totals {
  readonly summarized: number
  readonly failed: number
  readonly pending: number
  /** Tokens billed, as far as the server counted. */
  readonly usage: Usage
  /** Whole picodollars as text, since JSON has no number that large; see `Picodollars`. */
  readonly cost_picodollars: string
  /** Documents whose cost is unknown, in whole or in part. */
  readonly unknown_cost: number
  /** Attempts whose answer was lost on the way; they may be billed too. */
  readonly lost: number
}

export const emptyTotals: Totals = {
  summarized: 0,
  failed: 0,
  pending: 0,
  usage: zeroUsage,
  cost_picodollars: '0',
  unknown_cost: 0,
  lost: 0,
}

/** What a ledger entry says about one document. */
interface CountedDocument {
  readonly status: 'summarized' | 'failed' | 'pending'
  readonly usage: Usage | null
  readonly cost_usd: number | null
  readonly uncounted?: number
  readonly lost?: number
}

export function toTotals({ status, usage, cost_usd, uncounted = 0, lost = 0 }: CountedDocument): Totals {
  return {
    ...emptyTotals,
    [status]: 1,
    usage: usage ?? zeroUsage,
    // Below $9,000 a number of dollars tells every picodollar apart.
    cost_picodollars: String(BigInt(Math.round((cost_usd ?? 0) * 1e12))),
    unknown_cost: cost_usd === null || usage === null || uncounted > 0 ? 1 : 0,
    lost,
  }
}

export function addTotals(a: Totals, b: Totals): Totals {
  return {
    summarized: a.summarized + b.summarized,
    failed: a.failed + b.failed,
    pending: a.pending + b.pending,
    usage: addUsage(a.usage, b.usage),
    cost_picodollars: String(BigInt(a.cost_picodollars) + BigInt(b.cost_picodollars)),
    unknown_cost: a.unknown_cost + b.unknown_cost,
    lost: a.lost + b.lost,
  }
}
