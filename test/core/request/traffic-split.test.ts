import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wayOf } from '../../../src/core/request/traffic-split.ts'

describe('a split', () => {
  const arms = fc
    .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 })
    .map((shares) => shares.map((share, way) => ({ share, way })))

  it('sends a path the same way every time, whatever the unit of the shares', () => {
    fc.assert(
      fc.property(arms, fc.string(), fc.integer({ min: 2, max: 1000 }), (arms, path, unit) => {
        const scaled = arms.map(({ share, way }) => ({ share: share * unit, way }))
        expect(wayOf(scaled, path)).toBe(wayOf(arms, path))
      }),
    )
  })

  it('gives each way its share', () => {
    fc.assert(
      fc.property(arms, (arms) => {
        const counts = arms.map(() => 0)
        const paths = 4000
        for (let n = 0; n < paths; n++) {
          const way = wayOf(arms, `docs/${n}.md`)
          counts[way] = (counts[way] ?? 0) + 1
        }
        const total = arms.reduce((sum, { share }) => sum + share, 0)
        for (const { share, way } of arms) {
          const expected = (paths * share) / total
          // Six standard deviations of a binomial distribution.
          const slack = 6 * Math.sqrt(expected * (1 - share / total)) + 1
          expect(Math.abs((counts[way] ?? 0) - expected)).toBeLessThan(slack)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('moves few paths when a share grows: none but those that the way that grew takes over', () => {
    const before = [
      { share: 90, way: 'v1' },
      { share: 10, way: 'v2' },
    ]
    const after = [
      { share: 80, way: 'v1' },
      { share: 20, way: 'v2' },
    ]
    for (let n = 0; n < 500; n++) {
      if (wayOf(before, `${n}`) === 'v2') expect(wayOf(after, `${n}`)).toBe('v2')
    }
  })
})
