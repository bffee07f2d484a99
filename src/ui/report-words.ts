import { dollars, picodollars } from '../core/pricing/price.ts'
import type { Group } from '../core/report/report-json.ts'
import { duration } from '../core/text/format-duration.ts'
import { manyOf, whole } from '../core/text/format-number.ts'

type Sums = Omit<Group, 'name'>

/** What is not known. */
export const unknown = '–'

/** How a document ended. */
export const statusWords = { summarized: 'summarized', failed: 'failed', pending: 'not done' } as const

/** Never $0 where it is unknown. */
export function costWords({
  cost_usd: usd,
  unknown_cost: uncounted,
}: Pick<Sums, 'cost_usd' | 'unknown_cost'>): string {
  return uncounted === 0 || usd === null ? money(usd) : `${money(usd)} and an unknown part`
}

/** Tokens that were counted, if any were. */
export function tokens(sums: Sums, way: 'in' | 'out'): string {
  const count = sums[`tokens_${way}`]
  return count === 0 && sums.unknown_cost > 0 ? 'unknown' : counted(count)
}

/** Dollars in words; null is not known. */
export function money(usd: number | null): string {
  return usd === null ? 'unknown' : dollars(picodollars(usd))
}

/** Milliseconds in words; null is not known. */
export function ms(value: number | null): string {
  return value === null ? unknown : duration(value)
}

/** `1,234`, `1 run`, `3 replies`; null is not known. */
export function counted(count: number | null, one?: string, many = `${one}s`): string {
  if (count === null) return unknown
  return one === undefined ? whole(count) : manyOf(count, one, many)
}

/** `2026-11-22 12:00 UTC` */
export function instant(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}
