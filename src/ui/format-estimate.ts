import type { EstimateRange } from '../core/estimate/estimate-cost.ts'
import type { EstimateJson } from '../core/estimate/estimate-json.ts'
import { pricesAsOf } from '../core/pricing/models.ts'
import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger } from '../core/text/format-number.ts'

/** What a run would do and cost, as a few lines for a person. */
export function formatEstimate(
  estimate: EstimateJson,
  { origin, simulated }: { readonly origin: string; readonly simulated: boolean },
): string {
  const { documents, input_tokens: input, output_tokens: output, cost_usd: cost, prompt, model } = estimate
  const rows: [string, string][] = [['documents', formatDocuments(documents)]]
  if (documents.pending > 0) {
    rows.push(
      [
        'tokens in',
        `${formatRange(input, formatInteger)}${estimate.token_count === 'exact' ? ', counted by the service' : ''}`,
      ],
      ['tokens out', formatRange(output, formatInteger)],
      ['live', cost.live === null ? 'unknown' : formatRange(cost.live, formatCost)],
      [
        'as a batch',
        cost.batch === null
          ? 'unknown'
          : `${formatRange(cost.batch, formatCost)}, within a day, mostly within an hour`,
      ],
    )
    if (estimate.worst_case_usd !== null)
      rows.push(['at most', `${formatCost(estimate.worst_case_usd)}, were every answer as long as it may be`])
    rows.push(['time', formatTime(estimate)], ['known from', formatBasis(estimate)])
  }
  rows.push([
    'prompt',
    `${escapeControlChars(prompt)} (${escapeControlChars(origin)}), ${escapeControlChars(model)}, prices of ${pricesAsOf}`,
  ])
  const last = simulated ? 'nothing was sent; simulated, it would cost nothing' : 'nothing was sent'
  return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n${last}\n`
}

function formatDocuments({ pending, up_to_date, skipped, failed }: EstimateJson['documents']): string {
  const parts = [`${formatInteger(pending)} to summarize`]
  if (up_to_date > 0) parts.push(`${formatInteger(up_to_date)} unchanged`)
  const addCounts = (label: string, counts: Readonly<Record<string, number>>) => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const kinds = Object.entries(counts).map(
      ([type, count]) => `${formatInteger(count)} ${escapeControlChars(type)}`,
    )
    if (total > 0) parts.push(`${formatInteger(total)} ${label} (${kinds.join(', ')})`)
  }
  addCounts('skipped', skipped)
  addCounts('that will fail', failed)
  return parts.join(', ')
}

function formatTime({
  time: { duration_ms, concurrency, limits, limits_from, limited_by },
}: EstimateJson): string {
  const at =
    limited_by === 'latency'
      ? ''
      : ` at ${formatInteger(limits[limited_by] ?? 0)} ${limited_by.replace('_', ' ')} a minute (${limitOrigins[limits_from]})`
  return `about ${formatDuration(duration_ms)}${at}, ${concurrency === 1 ? 'one request at a time' : `up to ${concurrency} requests at once`}`
}

const limitOrigins = {
  configured: 'as given',
  observed: 'as the last run found',
  assumed: 'the first tier; --rpm, --itpm and --otpm say yours',
} as const

function formatBasis({ requests_with_history: measured, documents }: EstimateJson): string {
  if (measured === 0) return 'nothing but a guess; --sample 20 measures first'
  return measured === documents.pending
    ? 'what documents like these came to in this folder'
    : `what documents came to in this folder, for ${formatInteger(measured)} of them; the rest is a guess`
}

function formatRange({ low, expected, high }: EstimateRange, format: (value: number) => string): string {
  return low === high ? format(expected) : `about ${format(expected)} (${format(low)} to ${format(high)})`
}

function formatCost(amount: number): string {
  return formatUsd(usdToPicodollars(amount))
}
