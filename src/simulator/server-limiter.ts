import {
  type Bucket,
  computeMsUntilFull,
  computeWaitMs,
  createFullBucket,
  refill,
  withdraw,
} from './token-buckets.ts'

/** Limits per minute. `burst` is the capacity of each bucket as a share of one minute's limit. */
export interface Limits {
  readonly rpm?: number
  readonly itpm?: number
  readonly otpm?: number
  readonly burst?: number
}

/** The three rate limits of an account, as the API enforces them. */
export interface ServerLimiter {
  /**
   * Admits a request and charges its input. If a limit is exceeded, returns that limit and the wait in
   * milliseconds.
   */
  admit(inputTokens: number, now: number): { limit: LimitName; waitMs: number } | undefined
  /** Charges output tokens after they were produced. */
  chargeOutput(outputTokens: number, now: number): void
  /** Returns the `anthropic-ratelimit-*` headers. @param wallMs wall-clock milliseconds since 1970 */
  formatHeaders(now: number, wallMs: number): Record<string, string>
}

const headerNames = { requests: 'requests', input: 'input-tokens', output: 'output-tokens' } as const
type LimitName = keyof typeof headerNames

/** The limits of the usage tier `Start`. @see https://platform.claude.com/docs/en/api/rate-limits */
const defaultLimits = { rpm: 1000, itpm: 2_000_000, otpm: 400_000, burst: 1 }

export function createServerLimiter(limits: Limits, start: number): ServerLimiter {
  const { rpm, itpm, otpm, burst } = { ...defaultLimits, ...limits }
  const buckets: Record<LimitName, Bucket> = {
    requests: createFullBucket(rpm, burst, start),
    input: createFullBucket(itpm, burst, start),
    output: createFullBucket(otpm, burst, start),
  }
  const refillAll = (now: number) => {
    for (const name of Object.keys(buckets) as LimitName[]) buckets[name] = refill(buckets[name], now)
  }

  return {
    admit(inputTokens, now) {
      refillAll(now)
      // The output size is not known yet, so a request is admitted while any output tokens are left.
      const requested = { requests: 1, input: inputTokens, output: 1 }
      const waits = (Object.keys(requested) as LimitName[]).map((limit) => ({
        limit,
        waitMs: computeWaitMs(buckets[limit], requested[limit]),
      }))
      const [longest] = waits.sort((a, b) => b.waitMs - a.waitMs)
      if (longest !== undefined && longest.waitMs > 0) return longest
      buckets.requests = withdraw(buckets.requests, 1)
      buckets.input = withdraw(buckets.input, inputTokens)
      return undefined
    },
    chargeOutput(outputTokens, now) {
      refillAll(now)
      buckets.output = withdraw(buckets.output, outputTokens)
    },
    formatHeaders(now, wall) {
      refillAll(now)
      const entries = (Object.keys(headerNames) as LimitName[]).flatMap((limit) =>
        toHeaders(headerNames[limit], buckets[limit], wall),
      )
      const tightest =
        buckets.input.level / buckets.input.capacity < buckets.output.level / buckets.output.capacity
          ? 'input'
          : 'output'
      return Object.fromEntries([...entries, ...toHeaders('tokens', buckets[tightest], wall)])
    },
  }
}

function toHeaders(name: string, bucket: Bucket, wallMs: number): [string, string][] {
  const left = Math.max(0, bucket.level)
  // Tokens are rounded to thousands, requests are not.
  const remaining = name === 'requests' ? Math.floor(left) : Math.round(left / 1000) * 1000
  return [
    [`anthropic-ratelimit-${name}-limit`, String(Math.round(bucket.perMinute))],
    [`anthropic-ratelimit-${name}-remaining`, String(remaining)],
    [
      `anthropic-ratelimit-${name}-reset`,
      new Date(wallMs + computeMsUntilFull(bucket)).toISOString().replace(/\.\d+Z$/, 'Z'),
    ],
  ]
}
