import fc from 'fast-check'
import { expect, it } from 'vitest'
import { manyOf, whole } from '../../../src/core/text/format-number.ts'

it('writes whole numbers as English does', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(whole(value)).toBe(value.toLocaleString('en-US').replace(/^-0$/, '0'))
    }),
  )
  expect(whole(1999.6)).toBe('2,000')
  expect([manyOf(1, 'reply', 'replies'), manyOf(2000, 'document')]).toEqual(['1 reply', '2,000 documents'])
})
