import { sumInputTokens, type Usage } from '../pricing/usage.ts'
import { type LimitRates, limitNames, type RateLimiterStats } from './limiter-state.ts'

/**
 * Returns the requests per minute that the rate limits allow, if requests are like those so far; infinity without
 * limits.
 * @param usage of all requests so far
 */
export function computeMaxRequestRate(
  { configured, observed }: Pick<RateLimiterStats, 'configured' | 'observed'>,
  requests: number,
  usage: Usage,
): number {
  const demands: Required<LimitRates> = {
    requests,
    inputTokens: sumInputTokens(usage),
    outputTokens: usage.output_tokens,
  }
  const rates = limitNames.map((name) => {
    const limit = Math.min(
      configured[name] ?? Number.POSITIVE_INFINITY,
      observed[name] ?? Number.POSITIVE_INFINITY,
    )
    return demands[name] === 0 ? Number.POSITIVE_INFINITY : (limit / demands[name]) * requests
  })
  return Math.min(...rates)
}
