import { dollars, picodollars } from '../core/price.ts'
import type { Group } from '../core/report-file.ts'
import { textTable } from './table.ts'

/** Sums by something, as a table for a person. */
export function groupsText(what: string, groups: readonly Group[]): string {
  const rows = groups.map(({ name, summarized, failed, tokens_in, tokens_out, cost_usd, unknown_cost }) => {
    const known = dollars(picodollars(cost_usd))
    const cost = unknown_cost === 0 ? known : cost_usd === 0 ? 'unknown' : `${known} and unknown`
    return [
      name,
      ...[summarized, failed, tokens_in, tokens_out].map((count) => count.toLocaleString('en-US')),
      cost,
    ]
  })
  return textTable([[what, 'done', 'failed', 'tokens in', 'out', 'cost'], ...rows], 1)
}
