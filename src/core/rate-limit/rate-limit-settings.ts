import type { LimitRates } from './limiter-state.ts'

/** The initial settings of a rate limiter: the limits that the user set, and guesses for the rest. */
export interface RateLimitSettings {
  /** Limits per minute. Absent ones are learned from the response headers. */
  readonly configured: LimitRates
  /** How many runs like this one are expected to share the limits. Default: 1. */
  readonly sharers?: number | undefined
  /** Requests in flight at the same time, to start with and at most. */
  readonly concurrency: { readonly initial: number; readonly max: number }
  /** A low guess of the characters of a prompt per token. */
  readonly charactersPerToken: number
}
