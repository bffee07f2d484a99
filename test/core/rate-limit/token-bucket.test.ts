import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createConcurrencyLimit,
  decreaseLimit,
  increaseLimit,
  roundDownLimit,
} from '../../../src/core/rate-limit/concurrency-limit.ts'
import {
  fullRetryBudget,
  isOutage,
  recordFailure,
  recordSuccess,
} from '../../../src/core/rate-limit/retry-budget.ts'
import {
  computeWaitMs,
  createBucket,
  reconcileBucket,
  refillBucket,
  type TokenBucket,
  withdraw,
} from '../../../src/core/rate-limit/token-bucket.ts'

const empty: TokenBucket = {
  perMinute: 600,
  capacity: 10,
  level: 0,
  updatedAt: 0,
  share: 1,
  sharers: 1,
  last: { amount: 0, forOthers: 0, at: 0 },
  totalCorrection: 0,
  fullAt: Number.NEGATIVE_INFINITY,
  lastHeaderAt: 0,
  rounding: 0,
}
const alone = { perMinute: 600, rounding: 0, sharers: 1, phase: 0 }

describe('a token bucket', () => {
  it('never lets out more since its start than its capacity and rate allow', () => {
    const amounts = fc.array(
      fc.record({ amount: fc.integer({ min: 1, max: 30 }), pause: fc.integer({ min: 0, max: 500 }) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(amounts, fc.integer({ min: 60, max: 6000 }), (requests, perMinute) => {
        let bucket = createBucket({ ...alone, perMinute }, 0)
        let [now, out, largest] = [0, 0, 0]
        for (const { amount, pause } of requests) {
          now += pause
          now += computeWaitMs(refillBucket(bucket, now), amount)
          bucket = withdraw(refillBucket(bucket, now), amount)
          out += amount
          largest = Math.max(largest, amount)
          const oversize = Math.max(0, largest - bucket.capacity)
          expect(out).toBeLessThanOrEqual(bucket.capacity + oversize + (now / 60_000) * perMinute + 1e-6)
        }
      }),
    )
  })

  it('lets out an amount larger than its capacity once it is full', () => {
    const bucket = createBucket(alone, 0)
    expect(computeWaitMs(bucket, 1000)).toBeGreaterThan(0)
    expect(computeWaitMs(bucket, 1000)).toBeLessThan(100)
    expect(computeWaitMs(refillBucket(bucket, 1000), 1000)).toBe(0)
  })

  it.each([1, 30, 59, 60, 6000])(
    'lets out one request immediately, for a limit of %d per minute',
    (perMinute) => {
      expect(computeWaitMs(refillBucket(createBucket({ ...alone, perMinute }, 0), 100), 1)).toBeLessThan(200)
    },
  )

  it('never fills beyond its capacity, even after a long idle time', () => {
    const full = refillBucket(createBucket(alone, 0), 60_000)
    expect(refillBucket(full, 3_600_000).level).toBe(full.level)
    expect(full.level).toBeLessThan(1.1 * full.capacity)
    expect(withdraw(full, 25).level).toBe(10 - 25)
    // An amount that was larger than the bucket makes it no larger.
    expect(refillBucket(withdraw(full, 25), 3_600_000).level).toBe(full.level)
  })

  it('adopts the level of a response header, allowing for the time when the header was true', () => {
    const bucket: TokenBucket = { ...empty, level: 5 }
    // The header matches the current level or the level at the time of sending: no correction.
    expect(reconcileBucket(bucket, 5, { ...bucket, level: 8 }).level).toBe(5)
    expect(reconcileBucket(bucket, 8, { ...bucket, level: 8 }).level).toBe(5)
    // Another client used two.
    expect(reconcileBucket(bucket, 3, { ...bucket, level: 8 }).level).toBeCloseTo(3.999)
    // More is left than estimated, so the bucket is larger.
    expect(reconcileBucket(bucket, 40, { ...bucket, level: 8 }).level).toBe(37)
    expect(reconcileBucket(bucket, 40, { ...bucket, level: 8 }).capacity).toBe(40)
  })

  it('corrects one mistake once, for any number of requests sent before the correction', () => {
    let bucket: TokenBucket = { ...empty, level: 9 }
    const then = { ...bucket, level: 9 }
    for (let reply = 0; reply < 20; reply++) bucket = reconcileBucket(bucket, 2, then)
    expect(bucket.level).toBeCloseTo(2.999)
  })

  it('ignores that more was left before the bucket was full', () => {
    const atSend = { ...empty, level: 4 }
    // Five more were left than expected, but then the bucket filled up, and five requests were sent.
    const full = withdraw(refillBucket(atSend, 2000), 5)
    expect(reconcileBucket(full, 9, atSend).level).toBe(full.level)
    expect(reconcileBucket({ ...full, fullAt: -1 }, 9, atSend).level).toBeGreaterThan(full.level)
  })

  it('counts a mistake only as far as a full bucket left anything of it', () => {
    const atSend = { ...empty, level: 8 }
    // Six were missing. Since then, five did not fit into the bucket, so only one is missing now.
    const full = withdraw(refillBucket(atSend, 700), 0)
    expect(atSend.level + 7 - full.level).toBeCloseTo(5)
    expect(reconcileBucket(full, 2, atSend).level).toBeCloseTo(10 - 0.001)
  })
})

describe('a token bucket that is shared', () => {
  const shared = { ...alone, sharers: 4 }

  it.each([1, 1 / 2, 1 / 8, 1 / 100])('lets out a share of %d, in the long run', (share) => {
    let bucket: TokenBucket = { ...createBucket(alone, 0), share }
    let now = 0
    for (let sent = 0; sent < 100; sent++) {
      now += computeWaitMs(refillBucket(bucket, now), 1)
      bucket = withdraw(refillBucket(bucket, now), 1)
    }
    expect((100 / now) * 1000).toBeGreaterThan(10 * share * 0.95)
    expect((100 / now) * 1000).toBeLessThan(10 * share * 1.15)
  })

  it('starts at a phase that differs between runs', () => {
    const waits = [0, 0.3, 0.6, 0.9].map((phase) =>
      computeWaitMs(createBucket({ ...alone, sharers: 8, phase }, 0), 1),
    )
    expect(new Set(waits).size).toBe(4)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
  })

  const learn = (share: number, remaining: number) => {
    const bucket: TokenBucket = { ...createBucket(shared, 0), share, level: 5 }
    return reconcileBucket(refillBucket(bucket, 100), remaining, bucket).share
  }

  it('gives up a part of its share if some is missing, and takes the same amount as others if some is left', () => {
    expect(learn(0.6, 0) / 0.6).toBeCloseTo(learn(0.2, 0) / 0.2)
    expect(learn(0.6, 0)).toBeLessThan(0.6)
    expect(learn(0.6, 7) - 0.6).toBeCloseTo(learn(0.2, 7) - 0.2)
    expect(learn(0.2, 7)).toBeGreaterThan(0.2)
  })

  it('takes more if the bucket stays full, and never more than everything', () => {
    expect(learn(0.2, 10) - 0.2).toBeGreaterThan(2 * (learn(0.2, 7) - 0.2))
    expect(learn(1, 10)).toBe(1)
    expect(learn(0, 0)).toBeGreaterThan(0)
  })
})

describe('the retry budget', () => {
  const budgetAfter = (...results: boolean[]) =>
    results.reduce((budget, ok) => (ok ? recordSuccess(budget) : recordFailure(budget)), fullRetryBudget)
  const failures = (count: number) => Array.from({ length: count }, () => false)

  it('treats eleven failures in a row as an outage, but not one failure in twenty', () => {
    expect(isOutage(budgetAfter(...failures(10)))).toBe(false)
    expect(isOutage(budgetAfter(...failures(11)))).toBe(true)
    expect(isOutage(budgetAfter(...Array.from({ length: 400 }, (_, n) => n % 20 !== 0)))).toBe(false)
  })

  it('starts over with the first success', () => {
    expect(isOutage(budgetAfter(...failures(30), true))).toBe(false)
    expect(isOutage(budgetAfter(...failures(30), true, ...failures(5)))).toBe(false)
    expect(isOutage(budgetAfter(...failures(30), true, ...failures(6)))).toBe(true)
  })
})

describe('the concurrency limit', () => {
  it('doubles with every round of replies until the first overload, up to its maximum', () => {
    let window = createConcurrencyLimit(4, 20)
    for (let reply = 0; reply < 4; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBe(8)
    for (let reply = 0; reply < 100; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBe(20)
  })

  it('does not grow if something else limited the run', () => {
    expect(roundDownLimit(increaseLimit(createConcurrencyLimit(4, 20), false))).toBe(4)
  })

  it('shrinks once per overload, and recovers within a few rounds', () => {
    let window = createConcurrencyLimit(40, 256)
    for (let n = 0; n < 30; n++) window = decreaseLimit(window, 0.7, 100 + n, 1000)
    expect(roundDownLimit(window)).toBe(28)
    expect(roundDownLimit(decreaseLimit(window, 0.7, 1200, 1000))).toBe(19)
    for (let reply = 0; reply < 28 + 35; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBeGreaterThan(40)
  })

  it('grows by one for every four replies after an overload', () => {
    let window = decreaseLimit(createConcurrencyLimit(40, 256), 0.7, 100, 1000)
    for (let reply = 0; reply < 3; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBe(28)
    expect(roundDownLimit(increaseLimit(window, true))).toBe(29)
  })

  it('is never below one', () => {
    let window = createConcurrencyLimit(1, 256)
    for (let n = 0; n < 50; n++) window = decreaseLimit(window, 0.5, n * 10_000, 1)
    expect(roundDownLimit(window)).toBe(1)
  })
})
