import { describe, expect, it } from 'vitest'
import { joinInReadingOrder } from '../../../../src/inputs/read/readers/reading-order.ts'

/** Pieces as they stand on a page, from left to right. */
const line = (...pieces: readonly (readonly [str: string, dir: 'ltr' | 'rtl'])[]) =>
  joinInReadingOrder(pieces.map(([str, dir], n) => ({ str, dir, transform: [1, 0, 0, 1, n * 10, 0] })))
const rtl = (text: string) => [...text].map((str) => [str, str === ' ' ? 'ltr' : 'rtl'] as const)

describe('the order in which a line of a PDF is read', () => {
  it('is that of the page for what goes from left to right', () => {
    expect(line(['The ', 'ltr'], ['ferry', 'ltr'], [' sails.', 'ltr'])).toBe('The ferry sails.')
  })

  it('is from right to left for Arabic and Hebrew, in letters as they are written', () => {
    expect(line(...rtl('םולש'))).toBe('שלום')
    expect(line(...rtl('ﺔﻠﺣﺭ'))).toBe('رحلة')
    expect(line(...rtl('ﺮﻜﺑ ﺔﻠﺣﺭ'))).toBe('رحلة بكر')
  })

  it('keeps numbers and Latin words in it as they are, and turns words around within what goes the other way', () => {
    expect(line(...rtl('םולש'), [' ', 'ltr'], ['2', 'ltr'], ['6', 'ltr'], [' ', 'ltr'], ...rtl('םוי'))).toBe(
      'יום 26 שלום',
    )
    expect(line(['The word ', 'ltr'], ...rtl('םולש'), [' ', 'ltr'], ['means peace', 'ltr'])).toBe(
      'The word שלום means peace',
    )
  })

  it('leaves what is in order already', () => {
    const inOrder = [...'שלום'].map((str, n) => ({
      str,
      dir: 'rtl',
      transform: [1, 0, 0, 1, 100 - n * 10, 0],
    }))
    expect(joinInReadingOrder(inOrder)).toBe('שלום')
  })
})
