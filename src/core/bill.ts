import type { Attempt } from './attempt.ts'
import { mayBeBilled } from './failure.ts'
import { decimalDollars, type Picodollars } from './price.ts'
import { addUsage, noUsage, type Usage } from './usage.ts'

/** What a document cost, over all its attempts. */
export interface Bill {
  /** Tokens billed; undefined where the server did not count those of every answer. */
  readonly usage: Usage | undefined
  /** Undefined is unknown: uncounted, or a model without a price. */
  readonly cost: Picodollars | undefined
  /** Attempts whose answer was lost on the way: they may be billed too. */
  readonly lost: number
}

export function billOf(attempts: readonly Attempt[]): Bill {
  let usage: Usage | undefined = noUsage
  let cost: Picodollars | undefined = 0n
  let lost = 0
  for (const { fault, usage: counted, cost: price } of attempts) {
    if (fault !== undefined && mayBeBilled(fault)) lost++
    if (fault !== undefined && counted === undefined) continue
    usage = usage && counted && addUsage(usage, counted)
    cost = cost === undefined || price === undefined ? undefined : cost + price
  }
  return { usage, cost, lost }
}

/** As a number for JSON; null is unknown. */
export function costUsd({ cost }: Bill): number | null {
  return cost === undefined ? null : Number(decimalDollars(cost))
}
