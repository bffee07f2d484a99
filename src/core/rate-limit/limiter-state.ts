import type { Usage } from '../pricing/usage.ts'
import type { RateLimits } from './parse-rate-limits.ts'
import {
  computeWaitMs,
  createBucket,
  createBucketFromHeader,
  reconcileBucket,
  refillBucket,
  type TokenBucket,
  withdraw,
} from './token-bucket.ts'

export const limitNames = ['requests', 'inputTokens', 'outputTokens'] as const
/** Tokens are rounded to thousands in the headers, requests are not. */
const headerRounding = { requests: 0, inputTokens: 500, outputTokens: 500 } as const

export const limitLabels = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
} as const

export type LimitName = (typeof limitNames)[number]

/** Per minute; what is left out is not limited, or not known yet. */
export type LimitRates = { readonly [Name in LimitName]?: number }

/** Statistics of the rate limiter, for the report. */
export interface RateLimiterStats {
  readonly configured: LimitRates
  readonly observed: LimitRates
  /** How many requests waited for each limit. */
  readonly throttledCounts: ReadonlyMap<LimitName, number>
  /** How many requests went out without waiting. */
  readonly unthrottledCount: number
  readonly maxInFlight: number
  /** The maximum concurrency limit. */
  readonly maxConcurrency: number
  /** What the request that was let out last had waited for. */
  readonly lastThrottledBy: LimitName | undefined
}

/** What one request takes out of each bucket, as far as can be told before it is sent. */
export interface RequestDemand {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** The state of the rate limiter; every change makes a new one. */
export interface LimiterState {
  readonly buckets: { readonly [Name in LimitName]?: TokenBucket }
  /** The limits the user gave: never exceeded, whatever the service says. */
  readonly configured: LimitRates
  /** The limits the service told. */
  readonly observed: LimitRates
  /** Input tokens per character of prompt, as measured. */
  readonly tokensPerCharacter: number
  /** Output tokens per reply, as measured. */
  readonly outputTokensPerReply: number
  /** Expected output of what is under way: it will be charged when it is there. */
  readonly pendingOutputTokens: number
  readonly replies: number
}

/** What was believed when a request was sent, to be compared with what came of it. */
export interface SendSnapshot {
  readonly demand: RequestDemand
  readonly characters: number
  /** The buckets right after it was taken out of them. */
  readonly buckets: LimiterState['buckets']
}

/** @param charactersPerToken a low guess, so that the first estimates are high */
export function createLimiterState(
  configured: LimitRates,
  charactersPerToken: number,
  now: number,
): LimiterState {
  const buckets: { -readonly [Name in LimitName]?: TokenBucket } = {}
  for (const name of limitNames) {
    const rate = configured[name]
    if (rate !== undefined) buckets[name] = createBucket(rate, headerRounding[name], now)
  }
  return {
    buckets,
    configured,
    observed: {},
    tokensPerCharacter: 1 / charactersPerToken,
    outputTokensPerReply: 300,
    pendingOutputTokens: 0,
    replies: 0,
  }
}

export function estimateDemand(state: LimiterState, characters: number, maxTokens: number): RequestDemand {
  return {
    requests: 1,
    inputTokens: Math.ceil(characters * state.tokensPerCharacter),
    outputTokens: Math.min(maxTokens, Math.ceil(state.outputTokensPerReply)),
  }
}

/** How long a request of this cost must wait, and for which limit; 0 is not at all. */
export function findLongestWait(
  state: LimiterState,
  demand: RequestDemand,
  now: number,
): { readonly ms: number; readonly limit?: LimitName } {
  let longest: { ms: number; limit?: LimitName } = { ms: 0 }
  for (const limit of limitNames) {
    const bucket = state.buckets[limit]
    if (bucket === undefined) continue
    // Output is charged as it is produced: of what is under way, about half by now, and none yet of what is to come.
    const amount = limit === 'outputTokens' ? state.pendingOutputTokens / 2 + 1 : demand[limit]
    const ms = computeWaitMs(refillBucket(bucket, now), amount)
    if (ms > longest.ms) longest = { ms, limit }
  }
  return longest
}

/** The state after a request was sent. Its output is owed, not charged: the service charges it as it is produced. */
export function recordSend(
  state: LimiterState,
  demand: RequestDemand,
  characters: number,
  now: number,
): { state: LimiterState; sent: SendSnapshot } {
  const buckets: { -readonly [Name in LimitName]?: TokenBucket } = {}
  for (const name of limitNames) {
    const bucket = state.buckets[name]
    if (bucket === undefined) continue
    buckets[name] = withdraw(refillBucket(bucket, now), name === 'outputTokens' ? 0 : demand[name])
  }
  return {
    state: { ...state, buckets, pendingOutputTokens: state.pendingOutputTokens + demand.outputTokens },
    sent: { demand, characters, buckets },
  }
}

/** What came of a request: the tokens it took, and what the service says is left. Either may be missing. */
export interface ResponseReading {
  readonly usage?: Usage
  readonly limits?: RateLimits
}

/** The state after an answer, or after none: estimates and beliefs are corrected by what it tells. */
export function recordResponse(
  state: LimiterState,
  sent: SendSnapshot,
  { usage, limits }: ResponseReading,
  now: number,
): LimiterState {
  const updated = usage === undefined ? state : updateAverages(state, sent, usage)
  const buckets: { -readonly [Name in LimitName]?: TokenBucket } = {}
  const observed = { ...state.observed }
  for (const name of limitNames) {
    const { limit, remaining } = limits?.[name] ?? {}
    if (limit !== undefined && limit > 0) observed[name] = limit
    const rate = minDefined(state.configured[name], observed[name])
    if (rate === undefined) continue
    const oldBucket = state.buckets[name]
    const hasReading = remaining !== undefined && rate === observed[name]
    if (oldBucket?.perMinute !== rate) {
      // What was believed under another rate says nothing.
      buckets[name] = hasReading
        ? createBucketFromHeader(rate, headerRounding[name], remaining, now)
        : createBucket(rate, headerRounding[name], now)
      continue
    }
    let bucket = refillBucket(oldBucket, now)
    if (usage !== undefined) bucket = withdraw(bucket, computeUnexpectedTokens(name, sent, usage))
    // Where the user's own limit is the lower one, what the service has left says nothing about it.
    const bucketAtSend = sent.buckets[name]
    // One that was sent under another rate believed something else altogether.
    if (hasReading && bucketAtSend?.perMinute === rate)
      bucket = reconcileBucket(bucket, remaining, bucketAtSend)
    buckets[name] = bucket
  }
  return {
    ...updated,
    buckets,
    observed,
    pendingOutputTokens: Math.max(0, state.pendingOutputTokens - sent.demand.outputTokens),
  }
}

/** How much more it took than was taken into account when it was sent. */
function computeUnexpectedTokens(name: LimitName, sent: SendSnapshot, usage: Usage): number {
  // Cache reads do not count toward the limit of input tokens.
  if (name === 'inputTokens')
    return (
      usage.input_tokens +
      usage.cache_creation_5m_input_tokens +
      usage.cache_creation_1h_input_tokens -
      sent.demand.inputTokens
    )
  return name === 'outputTokens' ? usage.output_tokens : 0
}

/** The newest replies weigh most; the first ones replace the guess. */
function updateAverages(state: LimiterState, sent: SendSnapshot, usage: Usage): LimiterState {
  const weight = Math.max(0.05, 1 / (state.replies + 1))
  const blend = (old: number, measured: number) => old + weight * (measured - old)
  const input =
    usage.input_tokens +
    usage.cache_creation_5m_input_tokens +
    usage.cache_creation_1h_input_tokens +
    usage.cache_read_input_tokens
  return {
    ...state,
    replies: state.replies + 1,
    tokensPerCharacter:
      sent.characters === 0
        ? state.tokensPerCharacter
        : blend(state.tokensPerCharacter, input / sent.characters),
    outputTokensPerReply: blend(state.outputTokensPerReply, usage.output_tokens),
  }
}

function minDefined(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}
