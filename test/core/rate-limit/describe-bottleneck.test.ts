import { describe, expect, it } from 'vitest'
import { zeroUsage } from '../../../src/core/pricing/usage.ts'
import { describeBottleneck } from '../../../src/core/rate-limit/describe-bottleneck.ts'
import type { LimitName } from '../../../src/core/rate-limit/limiter-state.ts'

const latency = { p50: 400, p95: 900, p99: 900 }
const stats = { requests: 120, batchRequests: 0, usage: zeroUsage, latency, wallMs: 120_000 }
const limiter = {
  configured: { requests: 60 },
  observed: {},
  throttledMs: new Map<LimitName, number>(),
  maxInFlight: 8,
  maxConcurrency: 64,
  lastThrottledBy: undefined,
}
const waitingFor = (ms: number) => ({ ...limiter, throttledMs: new Map([['requests' as const, ms]]) })
const throttled = waitingFor(100_000)

describe('what limited a run', () => {
  it.each([
    ['API latency', stats, limiter],
    ['the concurrency limit of 8', stats, { ...limiter, maxConcurrency: 8 }],
    ['60 requests per minute, 100 % used', stats, throttled],
    ['batch processing time', { ...stats, batchRequests: 100, latency: undefined }, limiter],
    // A run may begin with the requests of a whole minute.
    ['60 requests per minute, 100 % used', { ...stats, wallMs: 6000 }, waitingFor(5000)],
    // Most requests went out without waiting, and the rest waited until the run was stopped.
    ['60 requests per minute, 100 % used', { ...stats, requests: 60, wallMs: 20_000 }, waitingFor(19_000)],
    ['API latency', stats, waitingFor(20_000)],
    // Nothing was answered, so nothing is known about the API's speed.
    [undefined, { ...stats, latency: undefined }, limiter],
    [undefined, { ...stats, requests: 1 }, limiter],
  ])('is %s', (expected, run, limits) => {
    expect(describeBottleneck(run, limits)).toBe(expected)
  })
})
