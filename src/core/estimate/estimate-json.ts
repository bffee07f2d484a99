import { formatExactUsd, type Picodollars } from '../pricing/pricing-rules.ts'
import { limitFieldNames, limitFieldsShape, toLimitFields } from '../rate-limit/limit-fields.ts'
import { type LimitRates, limitNames } from '../rate-limit/limiter-state.ts'
import { computePoolSize } from '../rate-limit/pool-size.ts'
import {
  amount,
  count,
  describe,
  nullable,
  objectOf,
  oneOf,
  optional,
  recordOf,
  string,
  type TypeOf,
  timestamp,
  toJsonSchema,
} from '../text/shape.ts'
import type { CostEstimate, EstimateRange } from './estimate-cost.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
export const estimateFormatVersion = 2

const rangeShape = objectOf({ low: amount, expected: amount, high: amount })

const timeShape = objectOf({
  duration_ms: amount,
  concurrency: describe(count, 'requests in flight at the same time'),
  limits: describe(limitFieldsShape, 'per minute'),
  limits_from: describe(
    oneOf('configured', 'observed', 'assumed'),
    'from the options, from the last run, or those of the first tier',
  ),
  limited_by: oneOf('requests', 'input_tokens', 'output_tokens', 'latency'),
})
/** How long a run takes at the rate limits. */
export interface TimeEstimate extends TypeOf<typeof timeShape> {}

/** The shape of {@link EstimateJson}. */
export const estimateShape = objectOf({
  format: oneOf('claude-batch estimate'),
  format_version: oneOf(estimateFormatVersion),
  created_at: timestamp,
  prompt: string,
  model: string,
  documents: objectOf({
    pending: describe(count, 'documents that the run would summarize'),
    up_to_date: count,
    skipped: describe(recordOf(count), 'by reason'),
    failed: describe(recordOf(count), 'documents that would fail before anything is sent, by reason'),
  }),
  not_read_by_extension: optional(
    describe(
      recordOf(count),
      'files of the searched folders that are not read because of their extension; (none) is without one',
    ),
  ),
  input_tokens: rangeShape,
  output_tokens: rangeShape,
  cost_usd: objectOf({ live: nullable(rangeShape), batch: nullable(rangeShape) }),
  worst_case_usd: describe(
    nullable(amount),
    'the worst case of all requests: a budget of this much is never exceeded',
  ),
  requests_with_history: describe(
    count,
    'requests that are like earlier ones of this output folder; the rest is a guess',
  ),
  token_count: describe(oneOf('exact', 'estimate'), 'whether the API counted the input tokens'),
  time: timeShape,
})

/** The saved result of a dry run: what a run would do and cost. Costs are USD; `null` is unknown. */
export interface EstimateJson extends TypeOf<typeof estimateShape> {}

/** The JSON Schema of an estimate; shipped as `dist/schemas/estimate.json`. */
export const estimateSchema = toJsonSchema(estimateShape, {
  title: 'an estimate of claude-batch',
  description: 'Costs are US dollars, times are milliseconds or ISO 8601; null is unknown.',
})

/**
 * Estimates how long a run takes. This is the longest of the times that each rate limit and the latency of
 * the API require.
 * @param latencyMs of one request: milliseconds
 * @param maxConcurrency requests in flight at the same time
 */
export function estimateTime(
  { requests, inputTokens, outputTokens }: Pick<CostEstimate, 'requests' | 'inputTokens' | 'outputTokens'>,
  limits: LimitRates,
  limitsFrom: TimeEstimate['limits_from'],
  latencyMs: number,
  maxConcurrency: number,
): TimeEstimate {
  const concurrency = Math.min(
    maxConcurrency,
    limits.requests === undefined ? maxConcurrency : computePoolSize(limits.requests, latencyMs / 1000),
  )
  const needed = { requests, inputTokens: inputTokens.expected, outputTokens: outputTokens.expected }
  let longest: Pick<TimeEstimate, 'duration_ms' | 'limited_by'> = {
    duration_ms: Math.ceil(requests / concurrency) * latencyMs,
    limited_by: 'latency',
  }
  for (const name of limitNames) {
    const limit = limits[name]
    const ms = limit === undefined ? 0 : (needed[name] / limit) * 60_000
    if (ms > 0 && ms >= longest.duration_ms) longest = { duration_ms: ms, limited_by: limitFieldNames[name] }
  }
  return {
    duration_ms: Math.round(longest.duration_ms),
    concurrency,
    limits: toLimitFields(limits),
    limits_from: limitsFrom,
    limited_by: longest.limited_by,
  }
}

/**
 * Limits of the first paid tier for the models of 2026.
 * @see https://platform.claude.com/docs/en/api/rate-limits
 */
export const firstTierLimits: LimitRates = { requests: 1000, inputTokens: 2_000_000, outputTokens: 400_000 }

/** Converts a range of costs to USD for JSON; null if unknown. */
export function toUsdRange(cost: EstimateRange<Picodollars> | undefined): EstimateRange | null {
  if (cost === undefined) return null
  const usd = (amount: Picodollars) => Number(formatExactUsd(amount))
  return { low: usd(cost.low), expected: usd(cost.expected), high: usd(cost.high) }
}
