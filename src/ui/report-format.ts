import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import type { ReportGroup } from '../core/report/report-json.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'

type Sums = Omit<ReportGroup, 'name'>

/** What is not known. */
export const unknownText = '–'

/** How a document ended. */
export const statusLabels = { summarized: 'summarized', failed: 'failed', pending: 'not done' } as const

/** Never $0 where it is unknown. */
export function formatCost({
  cost_usd: usd,
  documents_with_unknown_cost: uncounted,
}: Pick<Sums, 'cost_usd' | 'documents_with_unknown_cost'>): string {
  return uncounted === 0 || usd === null
    ? formatUsdOrUnknown(usd)
    : `${formatUsdOrUnknown(usd)} and an unknown part`
}

/** Tokens that were counted, if any were. */
export function formatTokens(sums: Sums, direction: 'in' | 'out'): string {
  const count = direction === 'in' ? sums.input_tokens : sums.output_tokens
  return count === 0 && sums.documents_with_unknown_cost > 0 ? 'unknown' : formatCount(count)
}

/** Dollars in words; null is not known. */
export function formatUsdOrUnknown(usd: number | null): string {
  return usd === null ? 'unknown' : formatUsd(usdToPicodollars(usd))
}

/** Milliseconds in words; null is not known. */
export function formatMs(value: number | null): string {
  return value === null ? unknownText : formatDuration(value)
}

/** `1,234`, `1 run`, `3 replies`; null is not known. */
export function formatCount(count: number | null, one?: string, many = `${one}s`): string {
  if (count === null) return unknownText
  return one === undefined ? formatInteger(count) : pluralize(count, one, many)
}

/** `2026-11-22 12:00 UTC` */
export function formatTimestamp(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}
