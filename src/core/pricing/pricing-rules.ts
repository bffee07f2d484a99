import { findModel, isSameModel, type Prices } from './models.ts'
import { sumInputTokens, type Usage } from './usage.ts'

/**
 * Money, in whole picodollars (10⁻¹² USD): the smallest price there is, a cached token of Haiku in a batch, is 5,000
 * of them, so every product is exact and sums do not depend on their order.
 */
export type Picodollars = bigint

/** What the price of a token depends on besides its kind. */
export interface BillingTerms {
  /** It came out of a batch: half of everything. */
  readonly batch?: true
  /** It had to be worked out in the United States: a tenth more of everything. */
  readonly usInference?: true
}

/** Tokens that were, or may be, billed. */
interface BilledUsage {
  /** That answered. */
  readonly model: string
  /** The name it was asked by, where a server may answer under another. */
  readonly requestedModel?: string
  readonly usage: Usage
  readonly terms?: BillingTerms
}

/** What tokens cost; undefined where the model has no price: unknown is never $0. */
export type PriceOf = (billed: BilledUsage) => Picodollars | undefined

/** Prices that the user sets, by model name; they override the table. */
export type CustomPrices = Readonly<Record<string, Prices>>

/**
 * Prices by the table of models, but for those that a user knows better: what he gives is the price of a short prompt,
 * and higher price tiers of the table rise by the same factor.
 */
export function createPriceOf(customPrices: CustomPrices): PriceOf {
  return ({ model, requestedModel = model, usage, terms = {} }) => {
    const name = findCustomPriceName(customPrices, model, requestedModel)
    const { priceTiers, hasRegionalPricing } = findModel(model) ?? findModel(requestedModel) ?? {}
    // Whether cached tokens count toward the band is not documented; counting them never bills too little.
    const tierPrices = priceTiers?.find(
      ({ maxPromptTokens }) => sumInputTokens(usage) <= maxPromptTokens,
    )?.prices
    const { of, per } = terms.batch ? halfPrice : fullPrice
    const factor = hasRegionalPricing && terms.usInference ? { of: of * 11n, per: per * 10n } : { of, per }
    const customPrice = name === undefined ? undefined : customPrices[name]
    if (customPrice === undefined) return computeCost(findModel(model) && tierPrices, usage, factor)
    const firstTierPrices = priceTiers?.[0]?.prices
    return computeCost(
      firstTierPrices && tierPrices ? scalePrices(customPrice, firstTierPrices, tierPrices) : customPrice,
      usage,
      factor,
    )
  }
}

/**
 * Returns the name under which the user's prices have what an answer costs. A server may answer under a name of its own,
 * and is paid by the name it was asked by, but not where both names are of known models that differ.
 */
function findCustomPriceName(
  customPrices: CustomPrices,
  model: string,
  requestedModel: string,
): string | undefined {
  const isOther =
    findModel(model) !== undefined &&
    findModel(requestedModel) !== undefined &&
    !isSameModel(model, requestedModel)
  const names = isOther ? [model] : [model, requestedModel]
  return (
    names.find((name) => Object.hasOwn(customPrices, name)) ??
    Object.keys(customPrices).find((name) => isSameModel(name, model))
  )
}

/** Scales a custom price from the first price tier to another one, in the ratio of the list prices. */
function scalePrices(customPrice: Prices, firstTierPrices: Prices, tierPrices: Prices): Prices {
  const kinds = Object.keys(customPrice) as (keyof Prices)[]
  return Object.fromEntries(
    kinds.map((kind) => [kind, (customPrice[kind] * tierPrices[kind]) / firstTierPrices[kind]]),
  ) as Prices & object
}

/** Prices by the table. */
export const listPrice: PriceOf = createPriceOf({})

const fullPrice = { of: 1n, per: 1n }
const halfPrice = { of: 1n, per: 2n }

function computeCost(
  prices: Prices | undefined,
  usage: Usage,
  { of, per }: typeof fullPrice,
): Picodollars | undefined {
  if (prices === undefined) return undefined
  const kinds = Object.keys(usageFields) as (keyof Prices)[]
  const sum = kinds.reduce(
    (sum, kind) => sum + BigInt(usage[usageFields[kind]]) * toPicodollarsPerToken(prices[kind]),
    0n,
  )
  // A user's own price may not divide; what is left over is rounded up once for the request.
  return (sum * of + per - 1n) / per
}

/** The tokens that each price is for. */
const usageFields = {
  input: 'input_tokens',
  output: 'output_tokens',
  cacheWrite5m: 'cache_creation_5m_input_tokens',
  cacheWrite1h: 'cache_creation_1h_input_tokens',
  cacheRead: 'cache_read_input_tokens',
} as const satisfies Record<keyof Prices, keyof Usage>

/** USD per million tokens is the same number as microdollars per token. */
function toPicodollarsPerToken(usdPerMillion: number): Picodollars {
  return BigInt(Math.round(usdPerMillion * 1e6))
}

/**
 * What tokens were billed on, from the API's `usage` object.
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 */
export function parseBillingTerms(raw: unknown): BillingTerms {
  const { service_tier: tier, inference_geo: geo } = (raw ?? {}) as Record<string, unknown>
  return { ...(tier === 'batch' && { batch: true }), ...(geo === 'us' && { usInference: true }) }
}

/** Dollars for people: two decimals from a dollar up, four significant digits below. */
export function formatUsd(cost: Picodollars): string {
  const usd = Number(cost) / 1e12
  if (usd === 0) return '$0'
  if (usd >= 1) return `$${usd.toFixed(2)}`
  const digits = Math.max(2, 3 - Math.floor(Math.log10(usd)))
  return `$${usd.toFixed(Math.min(digits, 12)).replace(/0+$/, '').padEnd(4, '0')}`
}

/** Dollars for machines: an exact decimal number without exponent. */
export function formatExactUsd(cost: Picodollars): string {
  const digits = cost.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '')
}

/** The amount that a number of dollars means. */
export function usdToPicodollars(usd: number): Picodollars {
  return BigInt(Math.round(usd * 1e12))
}
