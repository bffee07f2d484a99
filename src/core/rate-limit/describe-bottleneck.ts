import { sumInputTokens } from '../pricing/usage.ts'
import type { RunStats } from '../run/run-stats.ts'
import { formatInteger } from '../text/format-number.ts'
import { limitLabels, type RateLimiterStats } from './limiter-state.ts'

/**
 * Returns what limited the speed of a run, and how much of a rate limit it used. Undefined if the run had no replies,
 * or only one request.
 */
export function describeBottleneck(
  {
    requests,
    batchRequests,
    usage,
    latency,
    wallMs,
  }: Pick<RunStats, 'requests' | 'batchRequests' | 'usage' | 'latency' | 'wallMs'>,
  { configured, observed, throttledMs, maxInFlight, maxConcurrency }: RateLimiterStats,
): string | undefined {
  if (requests < 2 || (latency === undefined && batchRequests === 0)) return undefined
  if (batchRequests > requests / 2) return 'batch processing time'
  const [longest] = [...throttledMs].sort(([, a], [, b]) => b - a)
  const totalMs = [...throttledMs.values()].reduce((sum, ms) => sum + ms, 0)
  // A rate limit counts if requests waited for one during most of the run, or until it was stopped.
  if (longest === undefined || totalMs < wallMs / 2) {
    return maxInFlight >= maxConcurrency ? `the concurrency limit of ${maxConcurrency}` : 'API latency'
  }
  const [name] = longest
  const limit = Math.min(
    configured[name] ?? Number.POSITIVE_INFINITY,
    observed[name] ?? Number.POSITIVE_INFINITY,
  )
  const used = { requests, inputTokens: sumInputTokens(usage), outputTokens: usage.output_tokens }
  // A run may begin with the requests of a whole minute, so a short run would use far more than 100 %.
  const share = Math.min(100, Math.round((used[name] / (wallMs / 60_000) / limit) * 100))
  return `${formatInteger(limit)} ${limitLabels[name]} per minute, ${share} % used`
}
