import { type Bucket, fullBucket, refilled, taken, untilFull, waitFor } from './buckets.ts'

/** Per minute; `burst` is the capacity of each bucket as a share of a minute. */
export interface Limits {
  readonly rpm?: number
  readonly itpm?: number
  readonly otpm?: number
  readonly burst?: number
}

/** The three limits of an account, as the service enforces them. */
export interface Limiter {
  /** Admits a request and charges its input, or tells which limit is in the way and for how many milliseconds. */
  admit(inputTokens: number, now: number): { limit: LimitName; waitMs: number } | undefined
  /** Charges output as it was produced. */
  produced(outputTokens: number, now: number): void
  /** The `anthropic-ratelimit-*` headers. @param wall wall-clock milliseconds */
  headers(now: number, wall: number): Record<string, string>
}

const names = { requests: 'requests', input: 'input-tokens', output: 'output-tokens' } as const
type LimitName = keyof typeof names

/** The limits of the tier `Start`. @see https://platform.claude.com/docs/en/api/rate-limits */
const defaults = { rpm: 1000, itpm: 2_000_000, otpm: 400_000, burst: 1 }

export function createLimiter(limits: Limits, start: number): Limiter {
  const { rpm, itpm, otpm, burst } = { ...defaults, ...limits }
  const buckets: Record<LimitName, Bucket> = {
    requests: fullBucket(rpm, burst, start),
    input: fullBucket(itpm, burst, start),
    output: fullBucket(otpm, burst, start),
  }
  const refill = (now: number) => {
    for (const name of Object.keys(buckets) as LimitName[]) buckets[name] = refilled(buckets[name], now)
  }

  return {
    admit(inputTokens, now) {
      refill(now)
      // Output is not known yet: it passes while anything is left.
      const asked = { requests: 1, input: inputTokens, output: 1 }
      const waits = (Object.keys(asked) as LimitName[]).map((limit) => ({
        limit,
        waitMs: waitFor(buckets[limit], asked[limit]),
      }))
      const [longest] = waits.sort((a, b) => b.waitMs - a.waitMs)
      if (longest !== undefined && longest.waitMs > 0) return longest
      buckets.requests = taken(buckets.requests, 1)
      buckets.input = taken(buckets.input, inputTokens)
      return undefined
    },
    produced(outputTokens, now) {
      refill(now)
      buckets.output = taken(buckets.output, outputTokens)
    },
    headers(now, wall) {
      refill(now)
      const entries = (Object.keys(names) as LimitName[]).flatMap((limit) =>
        told(names[limit], buckets[limit], wall),
      )
      const tightest =
        buckets.input.level / buckets.input.capacity < buckets.output.level / buckets.output.capacity
          ? 'input'
          : 'output'
      return Object.fromEntries([...entries, ...told('tokens', buckets[tightest], wall)])
    },
  }
}

function told(name: string, bucket: Bucket, wall: number): [string, string][] {
  const left = Math.max(0, bucket.level)
  // Tokens are rounded to thousands, requests are not.
  const remaining = name === 'requests' ? Math.floor(left) : Math.round(left / 1000) * 1000
  return [
    [`anthropic-ratelimit-${name}-limit`, String(Math.round(bucket.perMinute))],
    [`anthropic-ratelimit-${name}-remaining`, String(remaining)],
    [
      `anthropic-ratelimit-${name}-reset`,
      new Date(wall + untilFull(bucket)).toISOString().replace(/\.\d+Z$/, 'Z'),
    ],
  ]
}
