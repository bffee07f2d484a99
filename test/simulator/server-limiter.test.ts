import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createServerLimiter } from '../../src/simulator/server-limiter.ts'

describe('the rate limiter of the simulator', () => {
  it('never admits more than its capacity plus the refill, for any sequence of requests', () => {
    const asks = fc.array(fc.record({ after: fc.integer({ min: 0, max: 20_000 }), tokens: fc.nat(3000) }))
    const limits = fc.record({
      rpm: fc.integer({ min: 1, max: 600 }),
      itpm: fc.integer({ min: 3000, max: 100_000 }),
    })
    fc.assert(
      fc.property(limits, asks, ({ rpm, itpm }, steps) => {
        const limiter = createServerLimiter({ rpm, itpm }, 0)
        let [now, requests, tokens] = [0, 0, 0]
        for (const step of steps) {
          now += step.after
          if (limiter.admit(step.tokens, now) !== undefined) continue
          requests++
          tokens += step.tokens
          expect(requests).toBeLessThanOrEqual(rpm + (rpm * now) / 60_000 + 1e-6)
          expect(tokens).toBeLessThanOrEqual(itpm + (itpm * now) / 60_000 + 1e-6)
        }
      }),
    )
  })

  it('admits a refused request after the wait that it announced', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(500_000), fc.nat(90_000), (rpm, input, output) => {
        const limiter = createServerLimiter({ rpm, itpm: 10_000, otpm: 5000, burst: 1 / 60 }, 0)
        limiter.admit(1, 0)
        limiter.chargeOutput(output, 0)
        const refused = limiter.admit(input, 0)
        // The API rounds the wait up to whole seconds.
        const later = Math.ceil((refused?.waitMs ?? 0) / 1000) * 1000
        if (refused !== undefined) expect(limiter.admit(input, later)).toBeUndefined()
      }),
    )
  })

  it('spreads a limit over the minute if the burst is one second', () => {
    const limiter = createServerLimiter({ rpm: 60, burst: 1 / 60 }, 0)
    expect(limiter.admit(1, 0)).toBeUndefined()
    expect(limiter.admit(1, 0)).toEqual({ limit: 'requests', waitMs: 1000 })
    expect(limiter.admit(1, 1000)).toBeUndefined()
  })

  it('lets output tokens exceed the limit, and delays the next request for it', () => {
    const limiter = createServerLimiter({ otpm: 600 }, 0)
    expect(limiter.admit(1, 0)).toBeUndefined()
    limiter.chargeOutput(1200, 0)
    expect(limiter.admit(1, 0)).toMatchObject({ limit: 'output' })
    expect(limiter.admit(1, 61_000)).toBeUndefined()
  })

  it('admits a prompt larger than its bucket if the bucket is full', () => {
    const limiter = createServerLimiter({ itpm: 6000, burst: 1 / 60 }, 0)
    expect(limiter.admit(50_000, 0)).toBeUndefined()
    expect(limiter.admit(1, 1000)).toMatchObject({ limit: 'input' })
  })

  it('sends headers with the limits, the remainders and the reset times', () => {
    const limiter = createServerLimiter({ rpm: 60, itpm: 100_000, otpm: 50_000 }, 0)
    limiter.admit(40_400, 0)
    expect(limiter.formatHeaders(0, Date.UTC(2026, 10, 22))).toMatchObject({
      'anthropic-ratelimit-requests-limit': '60',
      'anthropic-ratelimit-requests-remaining': '59',
      'anthropic-ratelimit-requests-reset': '2026-11-22T00:00:01Z',
      'anthropic-ratelimit-input-tokens-remaining': '60000',
      'anthropic-ratelimit-output-tokens-remaining': '50000',
      'anthropic-ratelimit-tokens-limit': '100000',
      'anthropic-ratelimit-tokens-remaining': '60000',
    })
  })
})
