import type { EstimateRange } from '../core/estimate/estimate-cost.ts'
import type { EstimateJson } from '../core/estimate/estimate-json.ts'
import { pricesAsOf } from '../core/pricing/models.ts'
import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { limitLabels } from '../core/rate-limit/limiter-state.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger } from '../core/text/format-number.ts'

/** What a run would do and cost, as a few lines for a person. */
export function formatEstimate(
  estimate: EstimateJson,
  { origin, simulated }: { readonly origin: string; readonly simulated: boolean },
): string {
  const { documents, tokens_in: input, tokens_out: output, cost_usd: cost, prompt, model } = estimate
  const rows: [string, string][] = [['documents', formatDocuments(documents)]]
  if (documents.to_do > 0) {
    rows.push(
      [
        'tokens in',
        `${formatRange(input, formatInteger)}${estimate.counted ? ', counted by the service' : ''}`,
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
    if (estimate.worst_usd !== null)
      rows.push(['at most', `${formatCost(estimate.worst_usd)}, were every answer as long as it may be`])
    rows.push(['time', formatTime(estimate)], ['known from', formatBasis(estimate)])
  }
  rows.push([
    'prompt',
    `${escapeControlChars(prompt)} (${escapeControlChars(origin)}), ${escapeControlChars(model)}, prices of ${pricesAsOf}`,
  ])
  const last = simulated ? 'nothing was sent; simulated, it would cost nothing' : 'nothing was sent'
  return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n${last}\n`
}

function formatDocuments({ to_do, unchanged, skipped, failing }: EstimateJson['documents']): string {
  const parts = [`${formatInteger(to_do)} to summarize`]
  if (unchanged > 0) parts.push(`${formatInteger(unchanged)} unchanged`)
  const addCounts = (label: string, counts: Readonly<Record<string, number>>) => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const kinds = Object.entries(counts).map(
      ([type, count]) => `${formatInteger(count)} ${escapeControlChars(type)}`,
    )
    if (total > 0) parts.push(`${formatInteger(total)} ${label} (${kinds.join(', ')})`)
  }
  addCounts('skipped', skipped)
  addCounts('that will fail', failing)
  return parts.join(', ')
}

function formatTime({
  time: { ms, pool, limits, limits_from: from, bound_by: bound },
}: EstimateJson): string {
  const at =
    bound === 'latency'
      ? ''
      : ` at ${formatInteger(limits[bound] ?? 0)} ${limitLabels[bound]} a minute (${limitOrigins[from]})`
  return `about ${formatDuration(ms)}${at}, ${pool === 1 ? 'one request at a time' : `up to ${pool} requests at once`}`
}

const limitOrigins = {
  given: 'as given',
  seen: 'as the last run found',
  assumed: 'the first tier; --rpm, --itpm and --otpm say yours',
} as const

function formatBasis({ measured, documents }: EstimateJson): string {
  if (measured === 0) return 'nothing but a guess; --sample 20 measures first'
  return measured === documents.to_do
    ? 'what documents like these came to in this folder'
    : `what documents came to in this folder, for ${formatInteger(measured)} of them; the rest is a guess`
}

function formatRange({ low, expected, high }: EstimateRange, format: (value: number) => string): string {
  return low === high ? format(expected) : `about ${format(expected)} (${format(low)} to ${format(high)})`
}

function formatCost(amount: number): string {
  return formatUsd(usdToPicodollars(amount))
}
