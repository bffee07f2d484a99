import type { EstimateRange } from '../core/estimate/estimate-cost.ts'
import type { EstimateJson } from '../core/estimate/estimate-json.ts'
import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger } from '../core/text/format-number.ts'
import { describeCode } from './describe-code.ts'

/** What an estimate shows in addition to its figures. */
export interface EstimateContext {
  /** Where the prompt comes from: `shipped`. */
  readonly origin: string
  readonly simulated: boolean
  /** Which prices the costs are computed from. */
  readonly prices: string
  /** Whether the provider has batches. */
  readonly hasBatches: boolean
}

/** Returns a few lines that say what a run would do and cost. */
export function formatEstimate(estimate: EstimateJson, context: EstimateContext): string {
  const rows = listEstimateRows(estimate, context)
  const last = context.simulated ? 'nothing was sent; a simulated run costs nothing' : 'nothing was sent'
  const lines = rows.map(([name, value]) => `${name.padEnd(10)} ${escapeControlChars(value)}`)
  return `${lines.join('\n')}\n${last}\n`
}

/** Returns the parts of an estimate with their names. They may contain control characters. */
export function listEstimateRows(
  estimate: EstimateJson,
  { origin, prices, hasBatches }: EstimateContext,
): (readonly [name: string, value: string])[] {
  const { documents, input_tokens: input, output_tokens: output, cost_usd: cost, prompt, model } = estimate
  const rows: [string, string][] = [['documents', formatDocuments(documents)]]
  if (documents.pending > 0) {
    rows.push(
      [
        'tokens in',
        `${formatRange(input, formatInteger)}${estimate.token_count === 'exact' ? ', counted by the API' : ''}`,
      ],
      ['tokens out', formatRange(output, formatInteger)],
      ['live', cost.live === null ? 'unknown' : formatRange(cost.live, formatCost)],
    )
    if (hasBatches)
      rows.push([
        'batch',
        cost.batch === null
          ? 'unknown'
          : `${formatRange(cost.batch, formatCost)}, usually within an hour, at most a day`,
      ])
    if (estimate.worst_case_usd !== null)
      rows.push([
        'at most',
        `${formatCost(estimate.worst_case_usd)}, if every reply reaches its length limit`,
      ])
    rows.push(['time', formatTime(estimate)], ['based on', formatBasis(estimate)])
  }
  rows.push(['prompt', `${prompt} (${origin}), ${model}, ${prices}`])
  return rows
}

function formatDocuments({ pending, up_to_date, skipped, failed }: EstimateJson['documents']): string {
  const parts = [`${formatInteger(pending)} to summarize`]
  if (up_to_date > 0) parts.push(`${formatInteger(up_to_date)} unchanged`)
  const addCounts = (label: string, counts: Readonly<Record<string, number>>) => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const kinds = Object.entries(counts).map(
      ([type, count]) => `${formatInteger(count)} ${describeCode(type, count)}`,
    )
    if (total > 0) parts.push(`${formatInteger(total)} ${label} (${kinds.join(', ')})`)
  }
  addCounts('skipped', skipped)
  addCounts('will fail', failed)
  return parts.join(', ')
}

function formatTime({
  time: { duration_ms, concurrency, limits, limits_from, limited_by },
}: EstimateJson): string {
  const at =
    limited_by === 'latency'
      ? ''
      : ` at ${formatInteger(limits[limited_by] ?? 0)} ${limited_by.replace('_', ' ')} a minute (${limitOrigins[limits_from]})`
  return `about ${formatDuration(duration_ms)}${at}, ${concurrency === 1 ? 'one request at a time' : `up to ${concurrency} requests in flight`}`
}

const limitOrigins = {
  configured: 'configured',
  observed: 'observed by the last run',
  assumed: 'assumed: first usage tier; set yours with --rpm, --itpm and --otpm',
} as const

function formatBasis({ requests_with_history: measured, documents }: EstimateJson): string {
  if (measured === 0) return 'assumptions only; use --sample 20 to measure first'
  return measured === documents.pending
    ? 'earlier results of similar documents in this folder'
    : `earlier results in this folder for ${formatInteger(measured)} of ${formatInteger(documents.pending)} documents; assumptions for the rest`
}

function formatRange({ low, expected, high }: EstimateRange, format: (value: number) => string): string {
  return low === high ? format(expected) : `about ${format(expected)} (${format(low)} to ${format(high)})`
}

function formatCost(amount: number): string {
  return formatUsd(usdToPicodollars(amount))
}
