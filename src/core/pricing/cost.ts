import { mayBeBilled } from '../errors/request-error.ts'
import type { Attempt } from '../request/attempt.ts'
import { decimalDollars, type Picodollars } from './price.ts'
import { addUsage, noUsage, type Usage } from './usage.ts'

/** What a document cost, over all its attempts. */
export interface Bill {
  /** Tokens billed; undefined where the server did not count those of every answer. */
  readonly usage: Usage | undefined
  /** Undefined is unknown: uncounted, or a model without a price. */
  readonly cost: Picodollars | undefined
  /** The same of those answers alone for which it is known; undefined where it is known of none. */
  readonly known: Pick<Bill, 'usage' | 'cost'>
  /** Answers that are not, or not wholly, in `known`. */
  readonly uncounted: number
  /** Attempts whose answer was lost on the way: they may be billed too. */
  readonly lost: number
}

export function billOf(attempts: readonly Attempt[]): Bill {
  const lost = attempts.filter(({ fault }) => fault !== undefined && mayBeBilled(fault)).length
  const answers = attempts.filter(({ fault, usage }) => fault === undefined || usage !== undefined)
  const usages = answers.flatMap(({ usage }) => usage ?? [])
  const costs = answers.flatMap(({ cost }) => cost ?? [])
  const usage = usages.reduce(addUsage, noUsage)
  const cost = costs.reduce((sum, cost) => sum + cost, 0n)
  const all = answers.length
  return {
    usage: usages.length === all ? usage : undefined,
    cost: costs.length === all ? cost : undefined,
    known: {
      usage: usages.length > 0 || all === 0 ? usage : undefined,
      cost: costs.length > 0 || all === 0 ? cost : undefined,
    },
    uncounted: answers.filter(({ usage, cost }) => usage === undefined || cost === undefined).length,
    lost,
  }
}

/** As a number for JSON; null is unknown. */
export function costUsd({ cost }: Pick<Bill, 'cost'>): number | null {
  return cost === undefined ? null : Number(decimalDollars(cost))
}
