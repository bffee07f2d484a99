/** One limit from the response headers, in requests or tokens per minute. */
interface RateLimit {
  readonly limit?: number
  /** How much of the limit is left; the API rounds tokens to thousands. */
  readonly remaining?: number
}

/** The account's limits for the requested model. A proxy or a compatible server may leave some out. */
export interface RateLimits {
  readonly requests?: RateLimit
  readonly inputTokens?: RateLimit
  readonly outputTokens?: RateLimit
}

const headerNames = {
  requests: 'requests',
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
} as const

/**
 * Reads the `anthropic-ratelimit-*` headers, except `…-reset`: that is the time when the bucket is full
 * again, not when the next request can be sent.
 * @see https://platform.claude.com/docs/en/api/rate-limits
 */
export function parseRateLimits(header: (name: string) => string | null): RateLimits | undefined {
  const found: { -readonly [Kind in keyof RateLimits]: RateLimit } = {}
  for (const [kind, name] of Object.entries(headerNames) as [keyof RateLimits, string][]) {
    const limit = parseInteger(header(`anthropic-ratelimit-${name}-limit`))
    const remaining = parseInteger(header(`anthropic-ratelimit-${name}-remaining`))
    if (limit !== undefined || remaining !== undefined) {
      found[kind] = { ...(limit !== undefined && { limit }), ...(remaining !== undefined && { remaining }) }
    }
  }
  return Object.keys(found).length === 0 ? undefined : found
}

function parseInteger(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
