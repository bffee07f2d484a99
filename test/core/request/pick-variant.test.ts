import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pickVariant } from '../../../src/core/request/pick-variant.ts'

describe('pickVariant', () => {
  const arms = fc
    .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 })
    .map((shares) => shares.map((weight, value) => ({ weight, value })))

  it('picks the same variant for a path even if all weights are scaled', () => {
    fc.assert(
      fc.property(arms, fc.string(), fc.integer({ min: 2, max: 1000 }), (arms, path, unit) => {
        const scaled = arms.map(({ weight, value }) => ({ weight: weight * unit, value }))
        expect(pickVariant(scaled, path)).toBe(pickVariant(arms, path))
      }),
    )
  })

  it('picks each variant as often as its weight says', () => {
    fc.assert(
      fc.property(arms, (arms) => {
        const counts = arms.map(() => 0)
        const paths = 4000
        for (let n = 0; n < paths; n++) {
          const way = pickVariant(arms, `docs/${n}.md`)
          counts[way] = (counts[way] ?? 0) + 1
        }
        const total = arms.reduce((sum, { weight }) => sum + weight, 0)
        for (const { weight, value: way } of arms) {
          const expected = (paths * weight) / total
          // Six standard deviations of a binomial distribution.
          const slack = 6 * Math.sqrt(expected * (1 - weight / total)) + 1
          expect(Math.abs((counts[way] ?? 0) - expected)).toBeLessThan(slack)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('moves paths only to the variant whose weight grows', () => {
    const before = [
      { weight: 90, value: 'v1' },
      { weight: 10, value: 'v2' },
    ]
    const after = [
      { weight: 80, value: 'v1' },
      { weight: 20, value: 'v2' },
    ]
    for (let n = 0; n < 500; n++) {
      if (pickVariant(before, `${n}`) === 'v2') expect(pickVariant(after, `${n}`)).toBe('v2')
    }
  })
})
