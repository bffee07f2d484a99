import type { Bounds } from '../core/estimate/estimate.ts'
import type { EstimateFile } from '../core/estimate/estimate-json.ts'
import { pricesRead } from '../core/pricing/models.ts'
import { dollars, picodollars } from '../core/pricing/price.ts'
import { limitWords } from '../core/rate-limit/limiter-state.ts'
import { printable } from '../core/text/escape-control.ts'
import { duration } from '../core/text/format-duration.ts'
import { whole } from '../core/text/format-number.ts'

/** What a run would do and cost, as a few lines for a person. */
export function estimateText(
  estimate: EstimateFile,
  { origin, simulated }: { readonly origin: string; readonly simulated: boolean },
): string {
  const { documents, tokens_in: input, tokens_out: output, cost_usd: cost, prompt, model } = estimate
  const rows: [string, string][] = [['documents', documentsOf(documents)]]
  if (documents.to_do > 0) {
    rows.push(
      ['tokens in', `${range(input, whole)}${estimate.counted ? ', counted by the service' : ''}`],
      ['tokens out', range(output, whole)],
      ['live', cost.live === null ? 'unknown' : range(cost.live, usd)],
      [
        'as a batch',
        cost.batch === null ? 'unknown' : `${range(cost.batch, usd)}, within a day, mostly within an hour`,
      ],
    )
    if (estimate.worst_usd !== null)
      rows.push(['at most', `${usd(estimate.worst_usd)}, were every answer as long as it may be`])
    rows.push(['time', timeOf(estimate)], ['known from', basisOf(estimate)])
  }
  rows.push([
    'prompt',
    `${printable(prompt)} (${printable(origin)}), ${printable(model)}, prices of ${pricesRead}`,
  ])
  const last = simulated ? 'nothing was sent; simulated, it would cost nothing' : 'nothing was sent'
  return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n${last}\n`
}

function documentsOf({ to_do, unchanged, skipped, failing }: EstimateFile['documents']): string {
  const parts = [`${whole(to_do)} to summarize`]
  if (unchanged > 0) parts.push(`${whole(unchanged)} unchanged`)
  const listed = (what: string, counts: Readonly<Record<string, number>>) => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const kinds = Object.entries(counts).map(([type, count]) => `${whole(count)} ${printable(type)}`)
    if (total > 0) parts.push(`${whole(total)} ${what} (${kinds.join(', ')})`)
  }
  listed('skipped', skipped)
  listed('that will fail', failing)
  return parts.join(', ')
}

function timeOf({ time: { ms, pool, limits, limits_from: from, bound_by: bound } }: EstimateFile): string {
  const at =
    bound === 'latency'
      ? ''
      : ` at ${whole(limits[bound] ?? 0)} ${limitWords[bound]} a minute (${origins[from]})`
  return `about ${duration(ms)}${at}, ${pool === 1 ? 'one request at a time' : `up to ${pool} requests at once`}`
}

const origins = {
  given: 'as given',
  seen: 'as the last run found',
  assumed: 'the first tier; --rpm, --itpm and --otpm say yours',
} as const

function basisOf({ measured, documents }: EstimateFile): string {
  if (measured === 0) return 'nothing but a guess; --sample 20 measures first'
  return measured === documents.to_do
    ? 'what documents like these came to in this folder'
    : `what documents came to in this folder, for ${whole(measured)} of them; the rest is a guess`
}

function range({ low, expected, high }: Bounds, format: (value: number) => string): string {
  return low === high ? format(expected) : `about ${format(expected)} (${format(low)} to ${format(high)})`
}

function usd(amount: number): string {
  return dollars(picodollars(amount))
}
