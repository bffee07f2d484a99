import { findModel, isSameModel, type Prices } from './models.ts'
import { promptTokens, type Usage } from './usage.ts'

/**
 * Money, in whole picodollars (10⁻¹² USD): the smallest price there is, a cached token of Haiku in a batch, is 5,000
 * of them, so every product is exact and sums do not depend on their order.
 */
export type Picodollars = bigint

/** What the price of a token depends on, beside its kind. */
export interface Terms {
  /** It came out of a batch: half of everything. */
  readonly batch?: true
  /** It had to be worked out in the United States: a tenth more of everything. */
  readonly us?: true
}

/** Tokens that were, or may be, billed. */
interface Billed {
  /** That answered. */
  readonly model: string
  /** The name it was asked by, where a server may answer under another. */
  readonly asked?: string
  readonly usage: Usage
  readonly terms?: Terms
}

/** What tokens cost; undefined where the model has no price: unknown is never $0. */
export type PriceOf = (billed: Billed) => Picodollars | undefined

/** What a user says that models cost, by the name it is asked by; goes before the table. */
export type OwnPrices = Readonly<Record<string, Prices>>

/**
 * Prices by the table of models, but for those that a user knows better: what he gives is the price of a short prompt,
 * and where the table has dearer bands, those are as much dearer.
 */
export function pricesWith(own: OwnPrices): PriceOf {
  return ({ model, asked = model, usage, terms = {} }) => {
    const name = ownName(own, model, asked)
    const { bands, regional } = findModel(model) ?? findModel(asked) ?? {}
    // Whether cached tokens count toward the band is not documented; counting them never bills too little.
    const band = bands?.find(({ upTo }) => promptTokens(usage) <= upTo)?.prices
    const { of, per } = terms.batch ? half : whole
    const factor = regional && terms.us ? { of: of * 11n, per: per * 10n } : { of, per }
    const given = name === undefined ? undefined : own[name]
    if (given === undefined) return priced(findModel(model) && band, usage, factor)
    const short = bands?.[0]?.prices
    return priced(short && band ? scaled(given, short, band) : given, usage, factor)
  }
}

/**
 * Returns the name under which the user's prices have what an answer costs. A server may answer under a name of its own,
 * and is paid by the name it was asked by, but not where both names are of known models that differ.
 */
function ownName(own: OwnPrices, model: string, asked: string): string | undefined {
  const isOther =
    findModel(model) !== undefined && findModel(asked) !== undefined && !isSameModel(model, asked)
  const names = isOther ? [model] : [model, asked]
  return (
    names.find((name) => Object.hasOwn(own, name)) ??
    Object.keys(own).find((name) => isSameModel(name, model))
  )
}

/** A price as much above the given one as `band` is above `short`. */
function scaled(given: Prices, short: Prices, band: Prices): Prices {
  const kinds = Object.keys(given) as (keyof Prices)[]
  return Object.fromEntries(kinds.map((kind) => [kind, (given[kind] * band[kind]) / short[kind]])) as Prices &
    object
}

/** Prices by the table. */
export const listPrice: PriceOf = pricesWith({})

const whole = { of: 1n, per: 1n }
const half = { of: 1n, per: 2n }

function priced(
  prices: Prices | undefined,
  usage: Usage,
  { of, per }: typeof whole,
): Picodollars | undefined {
  if (prices === undefined) return undefined
  const kinds = Object.keys(prices) as (keyof Prices)[]
  const sum = kinds.reduce((sum, kind) => sum + BigInt(usage[kind]) * perToken(prices[kind]), 0n)
  // A user's own price may not divide; what is left over is rounded up once for the request.
  return (sum * of + per - 1n) / per
}

/** USD per million tokens is the same number as microdollars per token. */
function perToken(usdPerMillion: number): Picodollars {
  return BigInt(Math.round(usdPerMillion * 1e6))
}

/**
 * What tokens were billed on, from the API's `usage` object.
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 */
export function parseTerms(raw: unknown): Terms {
  const { service_tier: tier, inference_geo: geo } = (raw ?? {}) as Record<string, unknown>
  return { ...(tier === 'batch' && { batch: true }), ...(geo === 'us' && { us: true }) }
}

/** Dollars for people: two decimals from a dollar up, four significant digits below. */
export function dollars(cost: Picodollars): string {
  const usd = Number(cost) / 1e12
  if (usd === 0) return '$0'
  if (usd >= 1) return `$${usd.toFixed(2)}`
  const digits = Math.max(2, 3 - Math.floor(Math.log10(usd)))
  return `$${usd.toFixed(Math.min(digits, 12)).replace(/0+$/, '').padEnd(4, '0')}`
}

/** Dollars for machines: an exact decimal number without exponent. */
export function decimalDollars(cost: Picodollars): string {
  const digits = cost.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '')
}

/** The amount that a number of dollars means. */
export function picodollars(usd: number): Picodollars {
  return BigInt(Math.round(usd * 1e12))
}
