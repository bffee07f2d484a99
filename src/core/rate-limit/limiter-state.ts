import type { Usage } from '../pricing/usage.ts'
import type { RateLimits } from './parse-rate-limits.ts'
import {
  type BucketSettings,
  computeWaitMs,
  createBucket,
  createBucketFromHeader,
  reconcileBucket,
  refillBucket,
  type TokenBucket,
  withdraw,
  withdrawMore,
} from './token-bucket.ts'

export const limitNames = ['requests', 'inputTokens', 'outputTokens'] as const
/** The headers round tokens to thousands, which is off by up to 500. Requests are exact. */
const headerRounding = { requests: 0, inputTokens: 500, outputTokens: 500 } as const

export const limitLabels = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
} as const

export type LimitName = (typeof limitNames)[number]

/** Limits per minute. A limit that is absent does not exist or is not known yet. */
export type LimitRates = { readonly [Name in LimitName]?: number }

/** Statistics of the rate limiter, for the report. */
export interface RateLimiterStats {
  readonly configured: LimitRates
  readonly observed: LimitRates
  /** For how long each limit kept the next request from being sent. Milliseconds. */
  readonly throttledMs: ReadonlyMap<LimitName, number>
  readonly maxInFlight: number
  /** The maximum concurrency limit. */
  readonly maxConcurrency: number
  /** The limit that the last request waited for, if any. */
  readonly lastThrottledBy: LimitName | undefined
}

/** An estimate of what one request will take out of each bucket. */
export interface RequestDemand {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What is known about other runs that share the limits of the API. */
export interface Sharing {
  /** How many runs like this one are expected to share them, this one included. */
  readonly sharers: number
  /** The part of them that send before this run, 0 to 1. It should be random. */
  readonly phase: number
}

/** The state of the rate limiter. It is immutable: every change returns a new state. */
export interface LimiterState {
  readonly buckets: { readonly [Name in LimitName]?: TokenBucket }
  /** The limits that the user set. They are never exceeded, even if the API allows more. */
  readonly configured: LimitRates
  readonly sharing: Sharing
  /** The limits from the response headers. */
  readonly observed: LimitRates
  /** Measured input tokens per character of a prompt. */
  readonly tokensPerCharacter: number
  /** Measured output tokens per reply. */
  readonly outputTokensPerReply: number
  /** Expected output tokens of the requests in flight. The bucket is charged when the replies arrive. */
  readonly pendingOutputTokens: number
  readonly replies: number
}

/** The estimates when a request was sent, to be compared with its response. */
export interface SendSnapshot {
  readonly demand: RequestDemand
  readonly characters: number
  /** The buckets after `demand` was taken out of them. */
  readonly buckets: LimiterState['buckets']
}

/**
 * Returns the state at the start of a run.
 * @param charactersPerToken a low guess, so that the first estimates are high
 */
export function createLimiterState(
  configured: LimitRates,
  charactersPerToken: number,
  now: number,
  sharing: Sharing = alone,
): LimiterState {
  const buckets: { -readonly [Name in LimitName]?: TokenBucket } = {}
  for (const name of limitNames) {
    const rate = configured[name]
    // A limit that the user set is for this run alone.
    if (rate !== undefined) buckets[name] = createBucket(toBucketSettings(name, rate, alone), now)
  }
  return {
    buckets,
    sharing,
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

/** Returns how long a request must wait, and for which limit: milliseconds; 0 is no wait. */
export function findLongestWait(
  state: LimiterState,
  demand: RequestDemand,
  now: number,
): { readonly ms: number; readonly limit?: LimitName } {
  let longest: { ms: number; limit?: LimitName } = { ms: 0 }
  for (const limit of limitNames) {
    const bucket = state.buckets[limit]
    if (bucket === undefined) continue
    // The API counts output while it is generated: about half of the output in flight by now.
    const amount = limit === 'outputTokens' ? state.pendingOutputTokens / 2 + 1 : demand[limit]
    const ms = computeWaitMs(refillBucket(bucket, now), amount)
    if (ms > longest.ms) longest = { ms, limit }
  }
  return longest
}

/**
 * Returns the state after a request was sent. Its output tokens are pending: the API counts them when it
 * generates them.
 */
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
    const refilled = refillBucket(bucket, now)
    buckets[name] = name === 'outputTokens' ? refilled : withdraw(refilled, demand[name])
  }
  return {
    state: { ...state, buckets, pendingOutputTokens: state.pendingOutputTokens + demand.outputTokens },
    sent: { demand, characters, buckets },
  }
}

/** The data of a response: the tokens that it used, and the state of the limits. Either may be missing. */
export interface ResponseReading {
  readonly usage?: Usage
  readonly limits?: RateLimits
}

/** Returns the state after a request ended, with or without a reply. Corrects estimates and buckets. */
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
      // The old bucket has another rate, so its level is meaningless.
      const settings = toBucketSettings(name, rate, rate === state.configured[name] ? alone : state.sharing)
      buckets[name] = hasReading
        ? createBucketFromHeader(settings, remaining, now)
        : createBucket(settings, now)
      continue
    }
    let bucket = refillBucket(oldBucket, now)
    if (usage !== undefined && name === 'inputTokens')
      bucket = withdrawMore(bucket, computeUnexpectedInput(sent, usage))
    if (usage !== undefined && name === 'outputTokens') bucket = withdraw(bucket, usage.output_tokens)
    // `remaining` refers to the API's limit, so it is ignored if the user's limit is lower.
    const bucketAtSend = sent.buckets[name]
    // If the rate has changed since the request was sent, the levels cannot be compared.
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

/** Returns how many more input tokens a request used than were taken out of the bucket when it was sent. */
function computeUnexpectedInput(sent: SendSnapshot, usage: Usage): number {
  // Cache reads do not count toward the limit of input tokens.
  return (
    usage.input_tokens +
    usage.cache_creation_5m_input_tokens +
    usage.cache_creation_1h_input_tokens -
    sent.demand.inputTokens
  )
}

const alone: Sharing = { sharers: 1, phase: 0 }

function toBucketSettings(name: LimitName, perMinute: number, { sharers, phase }: Sharing): BucketSettings {
  return {
    perMinute,
    rounding: headerRounding[name],
    sharers,
    phase: name === 'requests' ? phase : 0,
  }
}

/** Updates the moving averages. The first reply replaces the guess; later ones weigh at least 5 %. */
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
