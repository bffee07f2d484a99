/** One limit as a response's headers tell it, in requests or tokens per minute. */
interface RateLimit {
  readonly limit?: number
  /** What is left of it now; tokens rounded to thousands by the API. */
  readonly remaining?: number
}

/** The account's limits for the model asked; whatever a proxy or a compatible server leaves out is missing. */
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
 * Reads the `anthropic-ratelimit-*` headers. `…-reset` is left out on purpose: it tells when the bucket is full
 * again, not when the next request passes.
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
