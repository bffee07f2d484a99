import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import type { RateLimits } from '../../../src/core/rate-limit/parse-rate-limits.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createServerLimiter, type Limits } from '../../../src/simulator/server-limiter.ts'
import { createReply, createStatusError } from '../../support/scripted-ask.ts'
import { createTestPipeline, type TestPipelineOptions } from '../../support/test-pipeline.ts'
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts'

interface Service {
  readonly ask: Ask
  readonly starts: number[]
  limited(): number
}

/** An API on the virtual clock with the buckets of the simulator, 500 ms latency and rate limit headers. */
function service(
  clock: VirtualClock,
  limits: Limits,
  trouble: (now: number) => RequestError | undefined = () => undefined,
  other = { perMinute: 0, from: 0 },
): Service {
  const limiter = createServerLimiter({ itpm: 1e9, otpm: 1e9, burst: 1 / 60, ...limits }, 0)
  const starts: number[] = []
  let limited = 0
  let nextOther = other.perMinute === 0 ? Number.POSITIVE_INFINITY : other.from
  /** Counts the requests of another program on the same account up to the current time. */
  const others = () => {
    for (; nextOther <= clock.now(); nextOther += 60_000 / other.perMinute) limiter.admit(1, nextOther)
  }
  const told = (): RateLimits => {
    const headers = limiter.formatHeaders(clock.now(), 0)
    const of = (name: string) => ({
      limit: Number(headers[`anthropic-ratelimit-${name}-limit`]),
      remaining: Number(headers[`anthropic-ratelimit-${name}-remaining`]),
    })
    return { requests: of('requests'), inputTokens: of('input-tokens'), outputTokens: of('output-tokens') }
  }
  const ask: Ask = async (_request, signal) => {
    others()
    starts.push(clock.now())
    const refused = limiter.admit(100, clock.now())
    if (refused !== undefined) {
      limited++
      throw new AskError(createStatusError(429, { retryAfterSeconds: 1, limits: told() }))
    }
    const fault = trouble(clock.now())
    if (fault !== undefined) throw new AskError(fault)
    await clock.sleep(500, signal)
    others()
    limiter.chargeOutput(20, clock.now())
    return createReply('ok', { limits: told() })
  }
  return { ask, starts, limited: () => limited }
}

/** Sends `count` documents, at most one per place of the semaphore at a time, and returns statistics. */
async function run(
  count: number,
  limits: Limits,
  options: TestPipelineOptions = {},
  trouble?: (now: number) => RequestError | undefined,
  other?: { perMinute: number; from: number },
) {
  const clock = createVirtualClock()
  const it = service(clock, limits, trouble, other)
  const stacked = createTestPipeline(it.ask, { ...options, clock, random: () => 0.5 })
  let [next, lost] = [0, 0]
  const underWay = new Set<Promise<unknown>>()
  const all = async () => {
    while (next < count || underWay.size > 0) {
      while (next < count && underWay.size < stacked.semaphore.getMaxOpenDocuments()) {
        const one: Promise<unknown> = stacked.ask(`${next++}.md`).then(
          () => underWay.delete(one),
          () => {
            lost++
            underWay.delete(one)
          },
        )
        underWay.add(one)
      }
      await Promise.race(underWay)
    }
  }
  await clock.run(all())
  return {
    seconds: clock.now() / 1000,
    starts: it.starts,
    limited: it.limited(),
    lost,
    account: stacked.rateLimiter.getStats(),
  }
}

describe('the rate limiter', () => {
  // 200 documents at 10 per second, of which 10 may start immediately: 19.5 s is the shortest possible time.
  const best = (200 - 10) / 10 + 0.5

  it.each<[string, TestPipelineOptions['configured']]>([
    ['configured', { requests: 600 }],
    ['unknown', {}],
    ['configured three times too high', { requests: 1800 }],
  ])('uses a limit that is %s fully and never exceeds it', async (_name, configured = {}) => {
    const { seconds, limited, lost } = await run(200, { rpm: 600 }, { configured })
    expect([limited, lost]).toEqual([0, 0])
    expect(seconds).toBeLessThan(best * 1.06)
    expect(seconds).toBeGreaterThanOrEqual(best - 0.01)
  })

  it('observes the configured limit if it is lower than the limit of the API', async () => {
    const { seconds, account } = await run(100, { rpm: 600 }, { configured: { requests: 300 } })
    expect(seconds).toBeGreaterThan((100 - 6) / 5)
    expect(account).toMatchObject({ configured: { requests: 300 }, observed: { requests: 600 } })
  })

  it('limits by tokens if their limit is reached first, and reports that', async () => {
    const { seconds, limited, account } = await run(100, { rpm: 1e6, itpm: 60_000 })
    expect(limited).toBeLessThanOrEqual(1)
    // 100 tokens per document, 1,000 tokens per second.
    expect(seconds).toBeLessThan(((100 * 100 - 1000) / 1000) * 1.15 + 0.5)
    expect([...account.throttledMs.keys()]).toEqual(['inputTokens'])
    expect(account.throttledMs.get('inputTokens')).toBeGreaterThan(seconds * 800)
    expect(account.throttledMs.get('inputTokens')).toBeLessThanOrEqual(seconds * 1000)
  })

  it('raises the concurrency if the API reports a very high limit', async () => {
    const { account, seconds } = await run(400, { rpm: 1e7 })
    expect(account.maxInFlight).toBeGreaterThan(60)
    expect(account.throttledMs.get('requests') ?? 0).toBeLessThan(seconds * 100)
    expect(seconds).toBeLessThan(((400 / 8) * 0.5) / 2)
  })

  it('slows down for another program on the same account, whose usage the headers show', async () => {
    const other = { perMinute: 600, from: 5000 }
    const { limited, lost, seconds, starts } = await run(300, { rpm: 1200 }, {}, undefined, other)
    expect(lost).toBe(0)
    expect(limited).toBeLessThanOrEqual(starts.length * 0.02)
    // 100 requests in the first five seconds, then 10 per second instead of 20.
    expect(seconds).toBeLessThan((5 + 20) * 1.15)
  })

  it('sends single probes during an outage, loses no document, and resumes afterwards', async () => {
    const down = (now: number) => (now > 5000 && now < 15_000 ? createStatusError(503) : undefined)
    const { seconds, lost, starts } = await run(200, { rpm: 600 }, { retries: 3 }, down)
    expect(lost).toBe(0)
    expect(starts.filter((start) => start > 8000 && start < 15_000).length).toBeLessThan(12)
    expect(seconds).toBeLessThan((best + 10) * 1.15)
  })

  it('ends the run if an outage lasts longer than --max-wait', async () => {
    const { lost, seconds } = await run(50, { rpm: 600 }, { maxWaitMs: 30_000 }, () => createStatusError(503))
    expect(lost).toBe(50)
    expect(seconds).toBeLessThan(60)
  })

  it('sends exactly one additional request per error if one request in twenty fails', async () => {
    let n = 0
    const { starts, lost } = await run(200, { rpm: 6000 }, {}, () =>
      n++ % 20 === 7 ? createStatusError(529) : undefined,
    )
    expect(lost).toBe(0)
    expect(starts).toHaveLength(200 + Math.floor((n + 12) / 20))
  })
})
