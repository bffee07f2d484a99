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
  totalCorrection: 0,
  externalRate: 0,
  lastHeaderAt: 0,
  rounding: 0,
}

describe('a bucket', () => {
  it('lets out no more than its capacity and its rate allow, in any time from its start', () => {
    const amounts = fc.array(
      fc.record({ amount: fc.integer({ min: 1, max: 30 }), pause: fc.integer({ min: 0, max: 500 }) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(amounts, fc.integer({ min: 60, max: 6000 }), (requests, perMinute) => {
        let bucket = createBucket(perMinute, 0, 0)
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

  it('lets out what is larger than itself, once it is full', () => {
    const bucket = createBucket(600, 0, 0)
    expect(computeWaitMs(bucket, 1000)).toBeGreaterThan(0)
    expect(computeWaitMs(bucket, 1000)).toBeLessThan(100)
    expect(computeWaitMs(refillBucket(bucket, 1000), 1000)).toBe(0)
  })

  it('has no more in it than it can hold, however long it was left alone', () => {
    const full = refillBucket(createBucket(600, 0, 0), 60_000)
    expect(refillBucket(full, 3_600_000).level).toBe(full.level)
    expect(full.level).toBeLessThan(1.1 * full.capacity)
    expect(withdraw(full, 25).level).toBe(10 - 25)
  })

  it('believes what a response tells, against the time it speaks of', () => {
    const bucket: TokenBucket = { ...empty, level: 5 }
    // True now, or true when the request was sent: nothing to correct.
    expect(reconcileBucket(bucket, 5, { ...bucket, level: 8 }).level).toBe(5)
    expect(reconcileBucket(bucket, 8, { ...bucket, level: 8 }).level).toBe(5)
    // Somebody else took two.
    expect(reconcileBucket(bucket, 3, { ...bucket, level: 8 }).level).toBeCloseTo(3.999)
    // More is left than we believed, and the bucket is larger.
    expect(reconcileBucket(bucket, 40, { ...bucket, level: 8 }).level).toBe(37)
    expect(reconcileBucket(bucket, 40, { ...bucket, level: 8 }).capacity).toBe(40)
  })

  it('makes one correction for one mistake, however many requests were sent under it', () => {
    let bucket: TokenBucket = { ...empty, level: 9 }
    const then = { ...bucket, level: 9 }
    for (let reply = 0; reply < 20; reply++) bucket = reconcileBucket(bucket, 2, then)
    expect(bucket.level).toBeCloseTo(2.999)
  })
})

describe('the retry budget', () => {
  const budgetAfter = (...results: boolean[]) =>
    results.reduce((budget, ok) => (ok ? recordSuccess(budget) : recordFailure(budget)), fullRetryBudget)
  const failures = (count: number) => Array.from({ length: count }, () => false)

  it('takes a run of failures for an outage, one in twenty for bad luck', () => {
    expect(isOutage(budgetAfter(...failures(10)))).toBe(false)
    expect(isOutage(budgetAfter(...failures(11)))).toBe(true)
    expect(isOutage(budgetAfter(...Array.from({ length: 400 }, (_, n) => n % 20 !== 0)))).toBe(false)
  })

  it('begins anew with the first success', () => {
    expect(isOutage(budgetAfter(...failures(30), true))).toBe(false)
    expect(isOutage(budgetAfter(...failures(30), true, ...failures(5)))).toBe(false)
    expect(isOutage(budgetAfter(...failures(30), true, ...failures(6)))).toBe(true)
  })
})

describe('the slots', () => {
  it('double with every round of replies until there is trouble, and never pass the most', () => {
    let window = createConcurrencyLimit(4, 20)
    for (let reply = 0; reply < 4; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBe(8)
    for (let reply = 0; reply < 100; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBe(20)
  })

  it('do not grow where something else was the bound', () => {
    expect(roundDownLimit(increaseLimit(createConcurrencyLimit(4, 20), false))).toBe(4)
  })

  it('are cut once per episode, and recover within a few rounds', () => {
    let window = createConcurrencyLimit(40, 256)
    for (let n = 0; n < 30; n++) window = decreaseLimit(window, 0.7, 100 + n, 1000)
    expect(roundDownLimit(window)).toBe(28)
    expect(roundDownLimit(decreaseLimit(window, 0.7, 1200, 1000))).toBe(19)
    for (let reply = 0; reply < 28 + 35; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBeGreaterThan(40)
  })

  it('grow by one for every four replies after an overload', () => {
    let window = decreaseLimit(createConcurrencyLimit(40, 256), 0.7, 100, 1000)
    for (let reply = 0; reply < 3; reply++) window = increaseLimit(window, true)
    expect(roundDownLimit(window)).toBe(28)
    expect(roundDownLimit(increaseLimit(window, true))).toBe(29)
  })

  it('are never fewer than one', () => {
    let window = createConcurrencyLimit(1, 256)
    for (let n = 0; n < 50; n++) window = decreaseLimit(window, 0.5, n * 10_000, 1)
    expect(roundDownLimit(window)).toBe(1)
  })
})
