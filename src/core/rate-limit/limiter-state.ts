import type { Usage } from '../pricing/usage.ts'
import type { RateLimits } from './rate-limit-headers.ts'
import { type Bucket, corrected, newBucket, refilled, spent, toldBucket, waitFor } from './token-bucket.ts'

export const limitNames = ['requests', 'inputTokens', 'outputTokens'] as const
/** Tokens are rounded to thousands in the headers, requests are not. */
const grains = { requests: 0, inputTokens: 500, outputTokens: 500 } as const

export const limitWords = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
} as const

export type LimitName = (typeof limitNames)[number]

/** Per minute; what is left out is not limited, or not known yet. */
export type LimitRates = { readonly [Name in LimitName]?: number }

/** What the pace did, for the report. */
export interface PaceAccount {
  readonly given: LimitRates
  readonly seen: LimitRates
  /** How many requests waited for each limit. */
  readonly waitedFor: ReadonlyMap<LimitName, number>
  /** How many requests went out without waiting. */
  readonly unhindered: number
  readonly mostInFlight: number
  /** The most slots there may be. */
  readonly mostSlots: number
  /** What the request that was let out last had waited for. */
  readonly latest: LimitName | undefined
}

/** What one request takes out of each bucket, as far as can be told before it is sent. */
export interface Cost {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** All that the pace believes; every change makes a new one. */
export interface PaceState {
  readonly buckets: { readonly [Name in LimitName]?: Bucket }
  /** The limits the user gave: never exceeded, whatever the service says. */
  readonly given: LimitRates
  /** The limits the service told. */
  readonly seen: LimitRates
  /** Input tokens per character of prompt, as measured. */
  readonly tokensPerCharacter: number
  /** Output tokens per reply, as measured. */
  readonly outputPerReply: number
  /** Expected output of what is under way: it will be charged when it is there. */
  readonly owed: number
  readonly replies: number
}

/** What was believed when a request was sent, to be compared with what came of it. */
export interface Sent {
  readonly cost: Cost
  readonly characters: number
  /** The buckets right after it was taken out of them. */
  readonly buckets: PaceState['buckets']
}

/** @param charactersPerToken a low guess, so that the first estimates are high */
export function newPace(given: LimitRates, charactersPerToken: number, now: number): PaceState {
  const buckets: { -readonly [Name in LimitName]?: Bucket } = {}
  for (const name of limitNames) {
    const rate = given[name]
    if (rate !== undefined) buckets[name] = newBucket(rate, grains[name], now)
  }
  return {
    buckets,
    given,
    seen: {},
    tokensPerCharacter: 1 / charactersPerToken,
    outputPerReply: 300,
    owed: 0,
    replies: 0,
  }
}

export function estimate(state: PaceState, characters: number, maxTokens: number): Cost {
  return {
    requests: 1,
    inputTokens: Math.ceil(characters * state.tokensPerCharacter),
    outputTokens: Math.min(maxTokens, Math.ceil(state.outputPerReply)),
  }
}

/** How long a request of this cost must wait, and for which limit; 0 is not at all. */
export function mustWait(
  state: PaceState,
  cost: Cost,
  now: number,
): { readonly ms: number; readonly limit?: LimitName } {
  let longest: { ms: number; limit?: LimitName } = { ms: 0 }
  for (const limit of limitNames) {
    const bucket = state.buckets[limit]
    if (bucket === undefined) continue
    // Output is charged as it is produced: of what is under way, about half by now, and none yet of what is to come.
    const amount = limit === 'outputTokens' ? state.owed / 2 + 1 : cost[limit]
    const ms = waitFor(refilled(bucket, now), amount)
    if (ms > longest.ms) longest = { ms, limit }
  }
  return longest
}

/** The state after a request was sent. Its output is owed, not charged: the service charges it as it is produced. */
export function sending(
  state: PaceState,
  cost: Cost,
  characters: number,
  now: number,
): { state: PaceState; sent: Sent } {
  const buckets: { -readonly [Name in LimitName]?: Bucket } = {}
  for (const name of limitNames) {
    const bucket = state.buckets[name]
    if (bucket === undefined) continue
    buckets[name] = spent(refilled(bucket, now), name === 'outputTokens' ? 0 : cost[name])
  }
  return {
    state: { ...state, buckets, owed: state.owed + cost.outputTokens },
    sent: { cost, characters, buckets },
  }
}

/** What came of a request: the tokens it took, and what the service says is left. Either may be missing. */
export interface Came {
  readonly usage?: Usage
  readonly limits?: RateLimits
}

/** The state after an answer, or after none: estimates and beliefs are corrected by what it tells. */
export function settled(state: PaceState, sent: Sent, { usage, limits }: Came, now: number): PaceState {
  const learned = usage === undefined ? state : learn(state, sent, usage)
  const buckets: { -readonly [Name in LimitName]?: Bucket } = {}
  const seen = { ...state.seen }
  for (const name of limitNames) {
    const { limit, remaining } = limits?.[name] ?? {}
    if (limit !== undefined && limit > 0) seen[name] = limit
    const rate = lower(state.given[name], seen[name])
    if (rate === undefined) continue
    const known = state.buckets[name]
    const tells = remaining !== undefined && rate === seen[name]
    if (known?.perMinute !== rate) {
      // What was believed under another rate says nothing.
      buckets[name] = tells
        ? toldBucket(rate, grains[name], remaining, now)
        : newBucket(rate, grains[name], now)
      continue
    }
    let bucket = refilled(known, now)
    if (usage !== undefined) bucket = spent(bucket, surprise(name, sent, usage))
    // Where the user's own limit is the lower one, what the service has left says nothing about it.
    const then = sent.buckets[name]
    // One that was sent under another rate believed something else altogether.
    if (tells && then?.perMinute === rate) bucket = corrected(bucket, remaining, then)
    buckets[name] = bucket
  }
  return { ...learned, buckets, seen, owed: Math.max(0, state.owed - sent.cost.outputTokens) }
}

/** How much more it took than was taken into account when it was sent. */
function surprise(name: LimitName, sent: Sent, usage: Usage): number {
  // Cache reads do not count toward the limit of input tokens.
  if (name === 'inputTokens')
    return usage.input + usage.cacheWrite5m + usage.cacheWrite1h - sent.cost.inputTokens
  return name === 'outputTokens' ? usage.output : 0
}

/** The newest replies weigh most; the first ones replace the guess. */
function learn(state: PaceState, sent: Sent, usage: Usage): PaceState {
  const weight = Math.max(0.05, 1 / (state.replies + 1))
  const blend = (old: number, measured: number) => old + weight * (measured - old)
  const input = usage.input + usage.cacheWrite5m + usage.cacheWrite1h + usage.cacheRead
  return {
    ...state,
    replies: state.replies + 1,
    tokensPerCharacter:
      sent.characters === 0
        ? state.tokensPerCharacter
        : blend(state.tokensPerCharacter, input / sent.characters),
    outputPerReply: blend(state.outputPerReply, usage.output),
  }
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}
