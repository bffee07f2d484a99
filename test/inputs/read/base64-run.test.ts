import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasLongRun } from '../../../src/inputs/read/base64-run.ts'

describe('hasLongRun', () => {
  it('finds what a regular expression finds, in any text', () => {
    const run = fc.string({ unit: fc.constantFrom(...'AZaz09+/_-'), minLength: 36, maxLength: 44 })
    const text = fc.array(fc.oneof(run, fc.string({ unit: fc.constantFrom(...'aZ0 \n=%\\é字') })))
    fc.assert(
      fc.property(text, (parts) => {
        const joined = parts.join('')
        expect(hasLongRun(joined)).toBe(/[A-Za-z0-9+/_-]{40}/.test(joined))
      }),
      { numRuns: 500 },
    )
  })

  it.each([39, 40, 41, 79, 80])('counts a run at any place: %i characters', (length) => {
    for (let before = 0; before < 90; before++) {
      const text = `${' '.repeat(before)}${'x'.repeat(length)} end`
      expect(hasLongRun(text)).toBe(length >= 40)
    }
  })
})
