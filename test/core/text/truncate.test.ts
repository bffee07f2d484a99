import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { truncate } from '../../../src/core/text/truncate.ts'

describe('truncate', () => {
  it('drops a surrogate pair that does not fit completely', () => {
    expect(truncate('ab😀', 3)).toBe('ab')
    expect(truncate('ab😀', 4)).toBe('ab😀')
    expect(truncate('😀', 0)).toBe('')
  })

  it('returns the longest well-formed prefix of a well-formed text', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '😀', '漢', 'é') })
    fc.assert(
      fc.property(text, fc.nat(40), (text, most) => {
        const start = truncate(text, most)
        expect(text.startsWith(start)).toBe(true)
        expect(start.isWellFormed()).toBe(true)
        expect(start.length).toBeLessThanOrEqual(most)
        expect(start.length).toBeGreaterThanOrEqual(Math.min(text.length, most) - 1)
      }),
    )
  })
})
