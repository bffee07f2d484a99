import { promptTokens } from '../pricing/usage.ts'
import type { Report } from '../run/run-stats.ts'
import { whole } from '../text/format-number.ts'
import { limitWords, type PaceAccount } from './limiter-state.ts'

/** What kept a run from being faster, in words, and how much of that was used. */
export function boundBy(
  { requests, inBatches, usage, wallMs }: Pick<Report, 'requests' | 'inBatches' | 'usage' | 'wallMs'>,
  { given, seen, waitedFor, unhindered, mostInFlight, mostSlots }: PaceAccount,
): string {
  if (inBatches > requests / 2) return 'the batches, which the service does at its leisure'
  const [first] = [...waitedFor].sort(([, a], [, b]) => b - a)
  if (first === undefined || first[1] < unhindered) {
    return mostInFlight >= mostSlots
      ? `the pool of ${mostSlots} (--concurrency)`
      : 'the latency of the service'
  }
  const [name] = first
  const limit = Math.min(given[name] ?? Number.POSITIVE_INFINITY, seen[name] ?? Number.POSITIVE_INFINITY)
  const used = { requests, inputTokens: promptTokens(usage), outputTokens: usage.output }
  const share = Math.round((used[name] / (wallMs / 60_000) / limit) * 100)
  return `the limit of ${whole(limit)} ${limitWords[name]} per minute, ${share} % of it used`
}
