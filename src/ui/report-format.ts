import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import type { ReportGroup } from '../core/report/report-json.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'

type Sums = Omit<ReportGroup, 'name'>

/** The text for an unknown value. */
export const unknownText = '–'

/** Labels of the statuses of a document. */
export const statusLabels = { summarized: 'summarized', failed: 'failed', pending: 'pending' } as const

/** Formats a cost; an unknown cost is never shown as $0. */
export function formatCost({
  cost_usd: usd,
  documents_with_unknown_cost: uncounted,
}: Pick<Sums, 'cost_usd' | 'documents_with_unknown_cost'>): string {
  return uncounted === 0 || usd === null
    ? formatUsdOrUnknown(usd)
    : `${formatUsdOrUnknown(usd)} and an unknown part`
}

/** Formats a count of tokens; `unknown` if the API counted none. */
export function formatTokens(sums: Sums, direction: 'in' | 'out'): string {
  const count = direction === 'in' ? sums.input_tokens : sums.output_tokens
  return count === 0 && sums.documents_with_unknown_cost > 0 ? 'unknown' : formatCount(count)
}

/** Formats US dollars; null is unknown. */
export function formatUsdOrUnknown(usd: number | null): string {
  return usd === null ? 'unknown' : formatUsd(usdToPicodollars(usd))
}

/** Formats milliseconds as a duration; null is unknown. */
export function formatMs(value: number | null): string {
  return value === null ? unknownText : formatDuration(value)
}

/** `1,234`, `1 run`, `3 replies`; null is unknown. */
export function formatCount(count: number | null, one?: string, many = `${one}s`): string {
  if (count === null) return unknownText
  return one === undefined ? formatInteger(count) : pluralize(count, one, many)
}

/** `2026-11-22 12:00 UTC` */
export function formatTimestamp(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}
