import { describe, expect, it } from 'vitest'
import { zeroUsage } from '../../../src/core/pricing/usage.ts'
import { computeMaxRequestRate } from '../../../src/core/rate-limit/max-request-rate.ts'
import { createRemainingTime } from '../../../src/core/run/remaining-time.ts'

/**
 * Simulates a run with a constant number of requests in flight, each with its own latency.
 * @returns the estimates at some times, and how long the run really took
 */
function simulate(documents: number, inFlight: number, latencyMs: (index: number) => number) {
  const estimate = createRemainingTime()
  const ends: number[] = []
  const workers = Array.from({ length: inFlight }, () => 0)
  for (let index = 0; index < documents; index++) {
    const worker = workers.indexOf(Math.min(...workers))
    workers[worker] = (workers[worker] ?? 0) + latencyMs(index)
    ends.push(workers[worker] ?? 0)
  }
  ends.sort((a, b) => a - b)
  const estimates: { readonly atMs: number; readonly leftMs: number | undefined }[] = []
  let done = 0
  for (let atMs = 0; atMs <= (ends.at(-1) ?? 0); atMs += 100) {
    for (; (ends[done] ?? Number.POSITIVE_INFINITY) <= atMs; done++)
      estimate.recordRequest(latencyMs(done), Math.min(inFlight, documents - done))
    estimates.push({ atMs, leftMs: estimate.estimateMs({ done, total: documents, elapsedMs: atMs }) })
  }
  return { estimates, totalMs: ends.at(-1) ?? 0 }
}

describe('the estimate of the remaining time', () => {
  it.each([
    ['many requests in flight', 1000, 50, () => 3000],
    ['one request in flight', 20, 1, () => 3000],
    ['different latencies', 2000, 40, (index: number) => 1000 + ((index * 7919) % 4000)],
    ['a run of an hour', 12_000, 10, () => 3000],
  ] as const)('is close to the truth from the first reply on: %s', (_, documents, inFlight, latency) => {
    const { estimates, totalMs } = simulate(documents, inFlight, latency)
    expect(estimates[0]?.leftMs).toBeUndefined()
    const known = estimates.filter(({ leftMs }) => leftMs !== undefined)
    expect(known[0]?.atMs).toBeLessThan(5100)
    for (const { atMs, leftMs = 0 } of known) {
      const trueMs = totalMs - atMs
      // The fastest replies are the first. A reply more or less is not predictable.
      const share = atMs < 10_000 ? 0.7 : 0.34
      expect(Math.abs(leftMs - trueMs), `at ${atMs} ms`).toBeLessThan(Math.max(6000, trueMs * share))
    }
  })

  it('follows a change of the speed within a minute', () => {
    const estimate = createRemainingTime()
    let leftMs: number | undefined
    // Ten documents per second for a minute, then one per second.
    for (let seconds = 0; seconds <= 180; seconds++) {
      const done = seconds <= 60 ? seconds * 10 : 600 + (seconds - 60)
      leftMs = estimate.estimateMs({ done, total: 1000, elapsedMs: seconds * 1000 })
    }
    expect(leftMs).toBeCloseTo((1000 - 720) * 1000, -4)
  })

  it('keeps to the rate limits, although the run begins with a burst', () => {
    const estimate = createRemainingTime()
    for (let n = 0; n < 10; n++) estimate.recordRequest(1000, 10)
    const progress = { done: 10, total: 310, elapsedMs: 1000 }
    expect(estimate.estimateMs(progress)).toBe(30_000)
    expect(estimate.estimateMs(progress, 60)).toBe(300_000)
  })

  it('is unknown without finished documents', () => {
    const estimate = createRemainingTime()
    estimate.recordRequest(3000, 5)
    expect(estimate.estimateMs({ done: 0, total: 10, elapsedMs: 3000 })).toBeUndefined()
  })
})

describe('the rate that rate limits allow', () => {
  const usage = { ...zeroUsage, input_tokens: 3000, output_tokens: 100 }

  it.each([
    ['no limits', {}, {}, Number.POSITIVE_INFINITY],
    ['the limit of requests', { requests: 50 }, {}, 50],
    ['the lower of two limits of requests', { requests: 50 }, { requests: 40 }, 40],
    ['the limit of input tokens', { requests: 50 }, { inputTokens: 6000 }, 20],
    ['the limit of output tokens', {}, { outputTokens: 50 }, 5],
  ])('follows from %s', (_, configured, observed, expected) => {
    expect(computeMaxRequestRate({ configured, observed }, 10, usage)).toBe(expected)
  })
})
