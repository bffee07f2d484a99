import type { SummarizeOptions } from '../config/flags.ts'
import { retirementOf } from '../core/pricing/models.ts'
import { type PriceOf, picodollars, pricesWith } from '../core/pricing/price.ts'
import { noUsage } from '../core/pricing/usage.ts'
import { createPurse, type Purse } from '../engine/middleware/with-budget.ts'
import { UsageError } from '../errors.ts'

/** What answers cost, and what may be spent on them. */
export interface Money {
  readonly priceOf: PriceOf
  readonly purse: Purse | undefined
}

/**
 * @param models that will be asked
 * @throws UsageError where a cap has no price to go by
 */
export function moneyFor(
  { prices = {}, maxCost }: Pick<SummarizeOptions, 'prices' | 'maxCost'>,
  models: readonly string[],
): Money {
  const priceOf = pricesWith(prices)
  if (maxCost === undefined) return { priceOf, purse: undefined }
  const unpriced = models.find((model) => priceOf({ model, usage: noUsage }) === undefined)
  if (unpriced !== undefined)
    throw new UsageError(
      `--max-cost needs the price of ${unpriced}, which is not known; give it: --prices ${unpriced}=IN/OUT, in dollars per million tokens`,
    )
  return { priceOf, purse: createPurse(picodollars(maxCost), priceOf) }
}

/**
 * What to say before the first request of models that have come to their end, or will.
 * @param now milliseconds since 1970
 */
export function retirements(models: readonly string[], now: number): string[] {
  return [...new Set(models)].flatMap((model) => {
    const end = retirementOf(model)
    if (end === undefined) return []
    const days = Math.ceil((Date.parse(end.on) - now) / 86_400_000)
    const when =
      days > 0
        ? `retires on ${end.on}, ${days === 1 ? 'tomorrow' : `in ${days} days`}`
        : `retired on ${end.on}`
    return [`${model} ${when}; use ${end.instead}`]
  })
}
