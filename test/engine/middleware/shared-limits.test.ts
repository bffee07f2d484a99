import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { Usage } from '../../../src/core/pricing/usage.ts'
import type { RateLimits } from '../../../src/core/rate-limit/parse-rate-limits.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createSeededRandom } from '../../../src/simulator/seeded-random.ts'
import { createServerLimiter } from '../../../src/simulator/server-limiter.ts'
import { createReply, createStatusError } from '../../support/scripted-ask.ts'
import { createTestPipeline } from '../../support/test-pipeline.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

interface ShareOptions {
  /** When the API reads the level that it puts into the headers of a reply. */
  readonly readAt: 'start' | 'end'
  readonly latencyMs?: number
  /** The limit that is reached. Default: requests. */
  readonly of?: 'requests' | 'input tokens'
}

const inputTokens = 5000
const usage: Usage = {
  input_tokens: inputTokens,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 100,
}
const userText = 'x'.repeat(inputTokens * 2.5)

/**
 * Lets several runs, which start in the same 50 ms, share one limit, whose bucket holds a second's worth: 20 requests, or
 * their tokens.
 * @param counts the documents of each run
 * @param sharers how many runs each run expects
 */
async function share(
  counts: readonly number[],
  sharers: number,
  { readAt, latencyMs = 500, of = 'requests' }: ShareOptions,
) {
  const rpm = 1200
  const limits = of === 'requests' ? { rpm, itpm: 1e12 } : { rpm: 1e9, itpm: rpm * inputTokens }
  const clock = createVirtualClock()
  const random = createSeededRandom(7)
  const limiter = createServerLimiter({ ...limits, otpm: 1e9, burst: 1 / 60 }, 0)
  let [sent, limited] = [0, 0]
  const readLimits = (): RateLimits => {
    const headers = limiter.formatHeaders(clock.now(), 0)
    const read = (name: string) => ({
      limit: Number(headers[`anthropic-ratelimit-${name}-limit`]),
      remaining: Number(headers[`anthropic-ratelimit-${name}-remaining`]),
    })
    return {
      requests: read('requests'),
      inputTokens: read('input-tokens'),
      outputTokens: read('output-tokens'),
    }
  }
  const ask: Ask = async (_request, signal) => {
    sent++
    if (limiter.admit(inputTokens, clock.now()) !== undefined) {
      limited++
      throw new AskError(createStatusError(429, { retryAfterSeconds: 1, limits: readLimits() }))
    }
    const atStart = readLimits()
    await clock.sleep(latencyMs * (0.6 + 0.8 * random()), signal)
    return createReply('ok', { usage, limits: readAt === 'start' ? atStart : readLimits() })
  }
  const run = async (count: number) => {
    await clock.sleep(random() * 50)
    const concurrency = { initial: Math.max(1, Math.round(8 / sharers)), max: 256 }
    const { semaphore, ask: askAs } = createTestPipeline(ask, { clock, random, sharers, concurrency })
    const ends: number[] = []
    const underWay = new Set<Promise<unknown>>()
    for (let next = 0; next < count || underWay.size > 0; ) {
      for (; next < count && underWay.size < semaphore.getMaxOpenDocuments(); next++) {
        const one = askAs(`${next}.md`, { fields: { user: userText } }).then(() => {
          ends.push(clock.now())
          underWay.delete(one)
        })
        underWay.add(one)
      }
      await Promise.race(underWay)
    }
    return ends
  }
  const ends = await clock.run(Promise.all(counts.map(run)))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const best = (total / (rpm / 60) - 1) * 1000 + latencyMs
  const last = Math.max(...ends.flat())
  const inFirstHalf = ends.map((times) => times.filter((time) => time < last / 2).length)
  return {
    limitedShare: limited / sent,
    timesBest: last / best,
    unfairness: Math.max(...inFirstHalf) / Math.min(...inFirstHalf),
    done: ends.flat().length,
  }
}

// The API does not document which of the two it does.
describe.each(['start', 'end'] as const)(
  'runs that share a limit, whose headers are from the %s of a request',
  (readAt) => {
    it.each([2, 4, 8, 16])('use it fully and equally, almost without 429s: %d runs', async (runs) => {
      const result = await share(Array<number>(runs).fill(800 / runs), runs, { readAt })
      expect(result.done).toBe(800)
      expect(result.limitedShare).toBeLessThan(0.005)
      expect(result.timesBest).toBeLessThan(1.06)
      expect(result.unfairness).toBeLessThan(readAt === 'end' ? 1.5 : 2)
    })

    it('share a limit of tokens too', async () => {
      const result = await share(Array<number>(8).fill(100), 8, { readAt, of: 'input tokens' })
      expect(result.done).toBe(800)
      expect(result.limitedShare).toBeLessThan(0.005)
      expect(result.timesBest).toBeLessThan(1.06)
      expect(result.unfairness).toBeLessThan(2)
    })

    it('leave their part to the others when they end', async () => {
      const result = await share([50, 150, 200, 400], 4, { readAt })
      expect(result.limitedShare).toBeLessThan(0.005)
      expect(result.timesBest).toBeLessThan(1.05)
    })

    it.each([
      [8, 1.07],
      // A share of 1 % sends every five seconds at first, so it takes ten seconds to learn that the others do not.
      [100, 1.3],
    ])(
      'take all of it within seconds if they are alone, although %d were expected',
      async (sharers, atMost) => {
        const result = await share([800], sharers, { readAt })
        expect(result.limitedShare).toBeLessThan(0.003)
        // 40 seconds at least; the difference is the time to notice.
        expect(result.timesBest).toBeLessThan(atMost)
      },
    )

    it('are as fast as the limit allows if a reply takes three seconds', async () => {
      const result = await share([800], 1, { readAt, latencyMs: 3000 })
      expect(result.limitedShare).toBe(0)
      // Four times three seconds until enough requests are in flight.
      expect(result.timesBest).toBeLessThan(1.15)
    })
  },
)
