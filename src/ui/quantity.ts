import { formatExactUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { formatInteger } from '../core/text/format-number.ts'

/** A formatted number that a figure shows rounded. A text is both. */
export type Quantity = string | { readonly short: string; readonly exact: string }

/** Returns the number with all digits. */
export function getExact(quantity: Quantity): string {
  return typeof quantity === 'string' ? quantity : quantity.exact
}

/** Returns a count with up to four digits: `9,123`, `260k`, `1.03M`. */
export function formatRoundedCount(count: number): string {
  const unit = count < 9_999.5 ? undefined : units.find(([size]) => count >= size * 0.9995)
  if (unit === undefined) return formatInteger(count)
  const [size, suffix] = unit
  return `${Number((count / size).toPrecision(3))}${suffix}`
}

const units = [
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** Returns a cost with about three digits: `$0.000105`, `$12.34`, `$123`, `$12.3k`. @param usd at least 0 */
export function formatRoundedUsd(usd: number): string {
  if (usd === 0) return '$0'
  if (usd >= 99.995) return `$${formatRoundedCount(usd)}`
  if (usd >= 0.9995) return `$${usd.toFixed(2)}`
  const digits = Math.min(12, 2 - Math.floor(Math.log10(usd)))
  return `$${usd.toFixed(digits).replace(/0+$/, '').padEnd(4, '0')}`
}

/** Returns a cost with all digits, at least two decimals: `$0.0001046`, `$12.30`. */
export function formatAllDigitsUsd(usd: number): string {
  const [whole = '', decimals = ''] = formatExactUsd(usdToPicodollars(usd)).split('.')
  return usd === 0 ? '$0' : `$${whole}.${decimals.padEnd(2, '0')}`
}
