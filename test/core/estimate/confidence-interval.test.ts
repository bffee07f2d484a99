import { describe, expect, it } from 'vitest'
import { computeMeanInterval, computeShareInterval } from '../../../src/core/estimate/confidence-interval.ts'

describe('computeMeanInterval', () => {
  it.each([
    // 97.5 % quantiles of Student's t distribution with n - 1 degrees of freedom.
    [2, 12.706],
    [3, 4.303],
    [4, 3.182],
    [5, 2.776],
    [10, 2.262],
    [30, 2.045],
  ])('uses the t distribution for %i values', (n, t) => {
    const values = Array.from({ length: n }, (_, i) => i)
    const { value, high = 0 } = computeMeanInterval(values)
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (n - 1))
    expect((high - value) / (deviation / Math.sqrt(n))).toBeCloseTo(t, 2)
  })

  it('returns no interval for a single value', () => {
    expect(computeMeanInterval([5])).toEqual({ value: 5 })
  })
})

describe('computeShareInterval', () => {
  it('returns the Wilson score interval', () => {
    const { low, high } = computeShareInterval(5, 50)
    expect([low, high]).toEqual([expect.closeTo(0.0435, 3), expect.closeTo(0.2136, 3)])
    expect(computeShareInterval(0, 20)).toEqual({ value: 0, low: 0, high: expect.closeTo(0.161, 3) })
    expect(computeShareInterval(0, 0)).toEqual({ value: 0 })
  })
})
