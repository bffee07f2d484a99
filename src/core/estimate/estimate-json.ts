import { formatExactUsd, type Picodollars } from '../pricing/pricing-rules.ts'
import type { LimitRates } from '../rate-limit/limiter-state.ts'
import { computePoolSize } from '../rate-limit/pool-size.ts'
import type { CostEstimate, EstimateRange } from './estimate-cost.ts'

/** Counts changes that an older reader would misunderstand; fields are added without. */
export const estimateFormatVersion = 1

/** What a run would do and cost, as a dry run saves it. Costs are USD; `null` is unknown. */
export interface EstimateJson {
  readonly format: 'claude-batch estimate'
  readonly version: typeof estimateFormatVersion
  readonly made: string
  readonly prompt: string
  readonly model: string
  readonly documents: {
    readonly to_do: number
    readonly unchanged: number
    /** Of which kind, and how many. */
    readonly skipped: Readonly<Record<string, number>>
    readonly failing: Readonly<Record<string, number>>
  }
  readonly tokens_in: EstimateRange
  readonly tokens_out: EstimateRange
  readonly cost_usd: { readonly live: EstimateRange | null; readonly batch: EstimateRange | null }
  /** The worst case of all requests: a budget of this much is never exceeded. */
  readonly worst_usd: number | null
  /** How many documents are like ones that were measured; the rest is guessed. */
  readonly measured: number
  /** Whether the service counted the input. */
  readonly counted: boolean
  readonly time: TimeEstimate
}

/** How long a run takes at the limits. */
export interface TimeEstimate {
  readonly ms: number
  readonly pool: number
  readonly limits: LimitRates
  /** Whether somebody said so, a run found out, or they are those of the first tier. */
  readonly limits_from: 'given' | 'seen' | 'assumed'
  readonly bound_by: keyof LimitRates | 'latency'
}

/**
 * How long it takes: as long as the limit that is reached first, or the service itself where the pool is the bound.
 * @param latencyMs of one request
 * @param maxConcurrency requests at once
 */
export function estimateTime(
  {
    requests,
    inputTokens: input,
    outputTokens: output,
  }: Pick<CostEstimate, 'requests' | 'inputTokens' | 'outputTokens'>,
  limits: LimitRates,
  limitsFrom: TimeEstimate['limits_from'],
  latencyMs: number,
  maxConcurrency: number,
): TimeEstimate {
  const pool = Math.min(
    maxConcurrency,
    limits.requests === undefined ? maxConcurrency : computePoolSize(limits.requests, latencyMs / 1000),
  )
  const needed = { requests, inputTokens: input.expected, outputTokens: output.expected }
  let longest: Pick<TimeEstimate, 'ms' | 'bound_by'> = {
    ms: Math.ceil(requests / pool) * latencyMs,
    bound_by: 'latency',
  }
  for (const name of ['requests', 'inputTokens', 'outputTokens'] as const) {
    const limit = limits[name]
    const ms = limit === undefined ? 0 : (needed[name] / limit) * 60_000
    if (ms > 0 && ms >= longest.ms) longest = { ms, bound_by: name }
  }
  return { ...longest, ms: Math.round(longest.ms), pool, limits, limits_from: limitsFrom }
}

/** Of the first paid tier, for the models of 2026. @see https://platform.claude.com/docs/en/api/rate-limits */
export const firstTierLimits: LimitRates = { requests: 1000, inputTokens: 2_000_000, outputTokens: 400_000 }

/** Money as JSON has it. */
export function toUsdRange(cost: EstimateRange<Picodollars> | undefined): EstimateRange | null {
  if (cost === undefined) return null
  const usd = (amount: Picodollars) => Number(formatExactUsd(amount))
  return { low: usd(cost.low), expected: usd(cost.expected), high: usd(cost.high) }
}
