import { findModel, isSameModel, type Prices } from './models.ts'
import { sumInputTokens, type Usage } from './usage.ts'

/**
 * Money in whole picodollars (10⁻¹² USD). The lowest price, a cached token of Haiku in a batch, is 5,000
 * picodollars. So every product is exact, and sums do not depend on their order.
 */
export type Picodollars = bigint

/** Conditions of a request that change the price of its tokens. */
export interface BillingTerms {
  /** The request was in a batch: half of the price. */
  readonly batch?: true
  /** Inference was restricted to the United States: 10 % more. */
  readonly usInference?: true
}

/** Tokens that were billed, or may be. */
interface BilledUsage {
  /** The model that replied. */
  readonly model: string
  /** The requested model, if the server may reply with another name. */
  readonly requestedModel?: string
  readonly usage: Usage
  readonly terms?: BillingTerms
}

/** Returns the cost of tokens. Returns undefined, not $0, if the model has no price. */
export type PriceOf = (billed: BilledUsage) => Picodollars | undefined

/** Prices that the user sets, by model name. They override the list prices. */
export type CustomPrices = Readonly<Record<string, Prices>>

/**
 * Returns a function that computes costs from list prices, or from custom prices for the models that have
 * them. A custom price applies to the first price tier; higher tiers are scaled by the ratio of the list
 * prices.
 */
export function createPriceOf(customPrices: CustomPrices): PriceOf {
  return ({ model, requestedModel = model, usage, terms = {} }) => {
    const name = findCustomPriceName(customPrices, model, requestedModel)
    const { priceTiers, hasRegionalPricing } = findModel(model) ?? findModel(requestedModel) ?? {}
    // The API does not document whether cached tokens count toward the tier. They are counted here, so that
    // the cost is never too low.
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
 * Returns the name of the custom price for a reply, if any. A server may reply with another name than the
 * requested one. Then the price of the requested name applies, unless both are known models.
 */
function findCustomPriceName(
  customPrices: CustomPrices,
  model: string,
  requestedModel: string,
): string | undefined {
  const customNames = Object.keys(customPrices)
  if (customNames.length === 0) return undefined
  const isOther =
    findModel(model) !== undefined &&
    findModel(requestedModel) !== undefined &&
    !isSameModel(model, requestedModel)
  const names = isOther ? [model] : [model, requestedModel]
  return (
    names.find((name) => Object.hasOwn(customPrices, name)) ??
    customNames.find((name) => isSameModel(name, model))
  )
}

/** Scales a custom price from the first price tier to another one, in the ratio of the list prices. */
function scalePrices(customPrice: Prices, firstTierPrices: Prices, tierPrices: Prices): Prices {
  const kinds = Object.keys(customPrice) as (keyof Prices)[]
  return Object.fromEntries(
    kinds.map((kind) => [kind, (customPrice[kind] * tierPrices[kind]) / firstTierPrices[kind]]),
  ) as Prices & object
}

/** Computes costs from list prices. */
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
  const sum = kinds.reduce((sum, kind) => {
    const tokens = usage[usageFields[kind]]
    return tokens === 0 ? sum : sum + BigInt(tokens) * toPicodollarsPerToken(prices[kind])
  }, 0n)
  // A custom price may not be divisible, so the cost of the request is rounded up.
  return (sum * of + per - 1n) / per
}

/** The field of {@link Usage} for each price. */
const usageFields = {
  input: 'input_tokens',
  output: 'output_tokens',
  cacheWrite5m: 'cache_creation_5m_input_tokens',
  cacheWrite1h: 'cache_creation_1h_input_tokens',
  cacheRead: 'cache_read_input_tokens',
} as const satisfies Record<keyof Prices, keyof Usage>

/** One USD per million tokens is one microdollar per token. */
function toPicodollarsPerToken(usdPerMillion: number): Picodollars {
  return BigInt(Math.round(usdPerMillion * 1e6))
}

/**
 * Reads the billing terms from the `usage` object of the API.
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 */
export function parseBillingTerms(raw: unknown): BillingTerms {
  const { service_tier: tier, inference_geo: geo } = (raw ?? {}) as Record<string, unknown>
  return { ...(tier === 'batch' && { batch: true }), ...(geo === 'us' && { usInference: true }) }
}

/** Returns a cost for display: two decimals from $1 up, four significant digits below. */
export function formatUsd(cost: Picodollars): string {
  const usd = Number(cost) / 1e12
  if (usd === 0) return '$0'
  if (usd >= 1) return `$${usd.toFixed(2)}`
  const digits = Math.max(2, 3 - Math.floor(Math.log10(usd)))
  return `$${usd.toFixed(Math.min(digits, 12)).replace(/0+$/, '').padEnd(4, '0')}`
}

/** Returns a cost in USD as an exact decimal number without exponent, for JSON. */
export function formatExactUsd(cost: Picodollars): string {
  const digits = cost.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '')
}

/** Converts USD to picodollars. */
export function usdToPicodollars(usd: number): Picodollars {
  return BigInt(Math.round(usd * 1e12))
}
