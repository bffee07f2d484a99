import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasUncitedStatement, listStatements } from '../../../src/core/citations/statements.ts'

const list = (text: string) => listStatements(text).map(({ start, end }) => text.slice(start, end))

describe('the statements of a summary', () => {
  it.each([
    [
      'High water is at 06:12. The ferry waits for it.',
      ['High water is at 06:12.', 'The ferry waits for it.'],
    ],
    ['# The tide table\n\nThe ferry waits for it.', ['The ferry waits for it.']],
    [
      '**Key points of the log:**\n- The lock gate holds.\n- The ferry was late',
      ['The lock gate holds.', 'The ferry was late'],
    ],
    ['1. The lock gate holds\n2) The ferry was late!', ['The lock gate holds', 'The ferry was late!']],
    [
      'It said “The lock gate holds.” Nobody was hurt.',
      ['It said “The lock gate holds.”', 'Nobody was hurt.'],
    ],
    [
      '潮位は午前六時に最高になる。渡し船はそれを待つ。',
      ['潮位は午前六時に最高になる。', '渡し船はそれを待つ。'],
    ],
    ['---\n\n***\n\n', []],
    ['', []],
    [
      'The gate holds... It is really well. It is old?!) The end is near',
      ['The gate holds...', 'It is really well.', 'It is old?!)', 'The end is near'],
    ],
    ['Version 2.5 of the gate holds. OK.', ['Version 2.5 of the gate holds.']],
  ])('of %j', (text, statements) => {
    expect(list(text)).toEqual(statements)
  })

  it('do not overlap, are in order, and have no white space around them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('The gate holds', '. ', '\n', '- ', '# ', ': ', '!', '"', ' ', '。', 'é')),
        (parts) => {
          const text = parts.join('')
          let last = 0
          for (const { start, end } of listStatements(text)) {
            expect(start).toBeGreaterThanOrEqual(last)
            expect(text.slice(start, end)).toBe(text.slice(start, end).trim())
            last = end
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('are read in linear time', () => {
    for (const text of [
      '. '.repeat(200_000),
      '- '.repeat(200_000),
      'a'.repeat(400_000),
      '!"'.repeat(200_000),
      '.'.repeat(400_000),
      `${'!'.repeat(400_000)}a`,
      `a${'.'.repeat(400_000)}"`,
      `a:${' '.repeat(400_000)}b`,
      `a${':'.repeat(400_000)}b`,
      `a.${'*'.repeat(400_000)}b`,
    ])
      expect(listStatements(text).length).toBeLessThan(2)
  })
})

describe('hasUncitedStatement', () => {
  const text = 'High water is at 06:12. The ferry waits for it.'
  const cite = (start: number, end: number, isFound = true) => ({
    supports: { start, end },
    quote: 'x',
    ...(isFound && { found: { start: 0, end: 1 } }),
  })

  it('wants a citation that was found for each statement', () => {
    expect(hasUncitedStatement(text, [])).toBe(true)
    expect(hasUncitedStatement(text, [cite(0, 22)])).toBe(true)
    expect(hasUncitedStatement(text, [cite(0, 22), cite(24, 47)])).toBe(false)
    expect(hasUncitedStatement(text, [cite(0, 47)])).toBe(false)
    expect(hasUncitedStatement(text, [cite(0, 22), cite(24, 47, false)])).toBe(true)
  })

  it('wants nothing for a text without statements', () => {
    expect(hasUncitedStatement('# Title', [])).toBe(false)
  })
})
