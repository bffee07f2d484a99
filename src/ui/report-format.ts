import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import type { ReportGroup } from '../core/report/report-json.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'

type Sums = Omit<ReportGroup, 'name'>

/** The text for an unknown value. */
export const unknownText = '–'

/** Labels of the statuses of a document. */
export const statusLabels = { summarized: 'summarized', failed: 'failed', pending: 'pending' } as const

/** A cost in US dollars, and what qualifies it. */
export interface PartlyKnownCost extends Pick<Sums, 'cost_usd' | 'documents_with_unknown_cost'> {
  /** Whether nothing was spent, because the replies came from the simulator. */
  readonly simulated?: boolean
}

/**
 * Formats a cost; an unknown cost is never shown as $0, and a simulated cost is marked.
 * @param format returns the text for US dollars
 */
export function formatCost(
  { cost_usd: usd, documents_with_unknown_cost: uncounted, simulated = false }: PartlyKnownCost,
  format: (usd: number) => string = formatUsdOrUnknown,
): string {
  if (usd === null) return formatUsdOrUnknown(usd)
  return `${format(usd)}${markSimulated(simulated && usd > 0)}${uncounted === 0 ? '' : ' and an unknown part'}`
}

/** Returns the mark of a simulated cost, with a space before it; empty for a real cost. */
export function markSimulated(simulated: boolean): string {
  return simulated ? ' (simulated)' : ''
}

/** Formats a count of tokens; `unknown` if the API counted none. @param format returns the text for a count */
export function formatTokens(
  sums: Sums,
  direction: 'in' | 'out',
  format: (count: number) => string = formatCount,
): string {
  const count = direction === 'in' ? sums.input_tokens : sums.output_tokens
  return count === 0 && sums.documents_with_unknown_cost > 0 ? 'unknown' : format(count)
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
