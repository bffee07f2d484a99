import { describe, expect, it } from 'vitest'
import { joinInReadingOrder } from '../../../../src/inputs/read/readers/reading-order.ts'

/** Joins pieces of text that lie on a page from left to right. */
const line = (...pieces: readonly (readonly [str: string, dir: 'ltr' | 'rtl'])[]) =>
  joinInReadingOrder(pieces.map(([str, dir], n) => ({ str, dir, transform: [1, 0, 0, 1, n * 10, 0] })))
const rtl = (text: string) => [...text].map((str) => [str, str === ' ' ? 'ltr' : 'rtl'] as const)

describe('the reading order of a line in a PDF', () => {
  it('is the order on the page for left-to-right text', () => {
    expect(line(['The ', 'ltr'], ['ferry', 'ltr'], [' sails.', 'ltr'])).toBe('The ferry sails.')
  })

  it('is from right to left for Arabic and Hebrew, with standard letters instead of presentation forms', () => {
    expect(line(...rtl('םולש'))).toBe('שלום')
    expect(line(...rtl('ﺔﻠﺣﺭ'))).toBe('رحلة')
    expect(line(...rtl('ﺮﻜﺑ ﺔﻠﺣﺭ'))).toBe('رحلة بكر')
  })

  it('keeps numbers and Latin words left-to-right in Hebrew text, and reverses Hebrew words in Latin text', () => {
    expect(line(...rtl('םולש'), [' ', 'ltr'], ['2', 'ltr'], ['6', 'ltr'], [' ', 'ltr'], ...rtl('םוי'))).toBe(
      'יום 26 שלום',
    )
    expect(line(['The word ', 'ltr'], ...rtl('םולש'), [' ', 'ltr'], ['means peace', 'ltr'])).toBe(
      'The word שלום means peace',
    )
  })

  it('does not change text that is already in order', () => {
    const inOrder = [...'שלום'].map((str, n) => ({
      str,
      dir: 'rtl',
      transform: [1, 0, 0, 1, 100 - n * 10, 0],
    }))
    expect(joinInReadingOrder(inOrder)).toBe('שלום')
  })
})
