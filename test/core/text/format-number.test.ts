import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatInteger, pluralize } from '../../../src/core/text/format-number.ts'

it('formatInteger and pluralize separate thousands with commas', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(formatInteger(value)).toBe(value.toLocaleString('en-US').replace(/^-0$/, '0'))
    }),
  )
  expect(formatInteger(1999.6)).toBe('2,000')
  expect([pluralize(1, 'reply', 'replies'), pluralize(2000, 'document')]).toEqual([
    '1 reply',
    '2,000 documents',
  ])
})
