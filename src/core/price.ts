import { findModel, type Prices } from './models.ts'
import { promptTokens, type Usage } from './usage.ts'

/**
 * Money, in whole picodollars (10⁻¹² USD): the smallest price there is, a cached token of Haiku in a batch, is 5,000
 * of them, so every product is exact and sums do not depend on their order.
 */
export type Picodollars = bigint

/**
 * What a reply cost, from the tokens the API counted.
 * @returns undefined where the model has no price in the table: unknown is never $0.
 */
export function priceOf(model: string, usage: Usage): Picodollars | undefined {
  const bands = findModel(model)?.bands
  // Whether cached tokens count toward the band is not documented; counting them never bills too little.
  const band = bands?.find(({ upTo }) => promptTokens(usage) <= upTo)
  if (band === undefined) return undefined
  const kinds = Object.keys(band.prices) as (keyof Prices)[]
  return kinds.reduce((sum, kind) => sum + BigInt(usage[kind]) * perToken(band.prices[kind]), 0n)
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

/** USD per million tokens is the same number as microdollars per token. */
function perToken(usdPerMillion: number): Picodollars {
  return BigInt(Math.round(usdPerMillion * 1e6))
}
