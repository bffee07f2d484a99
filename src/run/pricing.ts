import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { findRetirement, isSameModel, pricesAsOf } from '../core/pricing/models.ts'
import { createPriceOf, type PriceOf, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { zeroUsage } from '../core/pricing/usage.ts'
import { providerTraits } from '../core/request/providers.ts'
import { createSharedBudget, type SharedBudget } from '../engine/middleware/shared-budget.ts'
import { CommandLineError } from '../errors.ts'
import { getProviderName } from './provider.ts'

/** Prices and the budget of a run. */
export interface Pricing {
  readonly priceOf: PriceOf
  readonly budget: SharedBudget | undefined
}

/**
 * Creates the price lookup of a run, and its budget if `--max-cost` or `--max-cost-per` is set.
 * @param models all models that the run uses
 * @throws CommandLineError if one of these flags is set and the price of a model is unknown
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

type PriceOptions = Pick<SummarizeOptions, 'simulate' | 'provider' | 'prices'>

/** Returns a note about the cost of a run, if it is not simply what the provider charges. */
export function describeCost(options: PriceOptions, models: readonly string[]): string | undefined {
  if (options.simulate) return 'simulated: nothing was spent'
  const label = findListPriceLabel(options, models)
  return label && `list price, ${label}`
}

/** Returns which prices an estimate uses. */
export function describePrices(options: PriceOptions, models: readonly string[]): string {
  const label = findListPriceLabel(options, models)
  return label === undefined ? `prices of ${pricesAsOf}` : `list prices of ${pricesAsOf}, ${label}`
}

/**
 * Returns the name of a provider that sets its own prices, if list prices are used for one of the models; or
 * else undefined.
 */
function findListPriceLabel(
  { simulate, provider, prices = {} }: PriceOptions,
  models: readonly string[],
): string | undefined {
  const { label, hasOwnTerms } = providerTraits[getProviderName({ simulate, provider })]
  const isListPrice = (model: string) => !Object.keys(prices).some((name) => isSameModel(name, model))
  return hasOwnTerms && models.some(isListPrice) ? label : undefined
}

/**
 * Returns a warning for each model that has retired or has a retirement date. Providers with their own dates are
 * left out.
 * @param now milliseconds since 1970
 */
export function formatRetirements(
  options: Pick<SummarizeOptions, 'simulate' | 'provider'>,
  models: readonly string[],
  now: number,
): string[] {
  if (providerTraits[getProviderName(options)].hasOwnTerms) return []
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
