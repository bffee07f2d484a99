import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computePoolSize } from '../../../src/core/rate-limit/pool-size.ts'

describe('computePoolSize', () => {
  it.each([
    [60, 3, 3],
    [60, 0.5, 1],
    [50, 3, 3],
    [1200, 0.5, 10],
    [1200, 0.15, 3],
    [1, 1, 1],
    [1_000_000, 60, 256],
  ])('for %d requests per minute that take %d s each returns %d', (rpm, latency, size) => {
    expect(computePoolSize(rpm, latency)).toBe(size)
  })

  it('returns enough requests to use the limit, and at most one too many', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        (rpm, latency) => {
          const size = computePoolSize(rpm, latency)
          const needed = (rpm / 60) * latency
          expect(size).toBeGreaterThanOrEqual(needed - 1e-6)
          expect(size - 1).toBeLessThan(Math.max(1, needed))
        },
      ),
    )
  })
})
