import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { findRetirement } from '../core/pricing/models.ts'
import { createPriceOf, type PriceOf, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { zeroUsage } from '../core/pricing/usage.ts'
import { createSharedBudget, type SharedBudget } from '../engine/middleware/shared-budget.ts'
import { CommandLineError } from '../errors.ts'

/** Prices and the budget of a run. */
export interface Pricing {
  readonly priceOf: PriceOf
  readonly budget: SharedBudget | undefined
}

/**
 * Creates the price lookup of a run, and its budget if `--max-cost` or `--max-cost-per` is set.
 * @param models all models that the run uses
 * @throws CommandLineError if one of them is set and the price of a model is unknown
 */
export function createPricing(
  {
    prices = {},
    maxCost,
    maxCostPer,
  }: Pick<SummarizeOptions, 'prices' | 'maxCost'> & Partial<Pick<SummarizeOptions, 'maxCostPer'>>,
  models: readonly string[],
): Pricing {
  const priceOf = createPriceOf(prices)
  const cap = maxCost ?? maxCostPer?.usd
  if (cap === undefined) return { priceOf, budget: undefined }
  const unpriced = models.find((model) => priceOf({ model, usage: zeroUsage }) === undefined)
  if (unpriced !== undefined)
    throw new CommandLineError(
      `${maxCost === undefined ? '--max-cost-per' : '--max-cost'} needs the price of ${unpriced}, which is unknown; set it with --prices ${unpriced}=IN/OUT, in USD per million tokens`,
    )
  return { priceOf, budget: createSharedBudget(usdToPicodollars(cap), priceOf) }
}

/**
 * Returns a warning for each model that has retired or has a retirement date.
 * @param now milliseconds since 1970
 */
export function formatRetirements(models: readonly string[], now: number): string[] {
  return [...new Set(models)].flatMap((model) => {
    const retirement = findRetirement(model)
    if (retirement === undefined) return []
    const days = Math.ceil((Date.parse(retirement.date) - now) / 86_400_000)
    const when =
      days > 0
        ? `retires on ${retirement.date}, ${days === 1 ? 'tomorrow' : `in ${days} days`}`
        : `retired on ${retirement.date}`
    return [`${model} ${when}; use ${retirement.replacement}`]
  })
}
