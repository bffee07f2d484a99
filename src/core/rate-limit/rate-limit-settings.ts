import type { LimitRates } from './limiter-state.ts'

/** What a rate limiter starts from: the limits that the user gave, and guesses for the rest. */
export interface RateLimitSettings {
  /** Per minute. Limits that are left out are learned from the response headers. */
  readonly configured: LimitRates
  /** Requests in flight at the same time, to start with and at most. */
  readonly concurrency: { readonly initial: number; readonly max: number }
  /** A low guess of how many characters of a prompt make a token. */
  readonly charactersPerToken: number
}
