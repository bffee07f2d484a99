import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Citation } from '../../../src/core/citations/citation.ts'
import { addFootnotes, removeFootnotes } from '../../../src/core/citations/format-footnotes.ts'

const text = 'High water is at 06:12. The ferry waits for it.\n'
const cite = (
  start: number,
  end: number,
  quote: string,
  at: number | undefined,
  place?: string,
): Citation => ({
  supports: { start, end },
  quote,
  ...(at !== undefined && { found: { start: at, end: at + quote.length } }),
  ...(place !== undefined && { place }),
})

describe('addFootnotes', () => {
  it('puts a number after each supported part, before its full stop, and lists place and quote', () => {
    const citations = [cite(0, 23, 'high water 06:12', 10, 'page 3'), cite(24, 47, 'It waits.', 50)]
    expect(addFootnotes(text, citations)).toBe(
      'High water is at 06:12 [1]. The ferry waits for it [2].\n\n[1] page 3: "high water 06:12"\n[2] "It waits."\n',
    )
  })

  it('shares a number between equal passages, and lists several at one place', () => {
    const citations = [cite(0, 23, 'a b', 10), cite(0, 23, 'c d', 20), cite(24, 47, 'a b', 10)]
    expect(addFootnotes(text, citations)).toBe(
      'High water is at 06:12 [1][2]. The ferry waits for it [1].\n\n[1] "a b"\n[2] "c d"\n',
    )
  })

  it('gives a citation that was not found no number', () => {
    expect(addFootnotes(text, [cite(0, 23, 'not there', undefined)])).toBe(text)
    expect(addFootnotes(text, [])).toBe(text)
  })

  it('uses other marks if the model wrote such numbers itself', () => {
    const forged = 'The gate holds [1]. It was tested [c2]. The ferry was late.'
    expect(addFootnotes(forged, [cite(0, 14, 'holds', 3)])).toBe(
      'The gate holds [cc1] [1]. It was tested [c2]. The ferry was late.\n\n[cc1] "holds"\n',
    )
  })

  it('writes a quote on one line, without control characters, and cuts it', () => {
    const quote = `one\u001b[31m\r\n\u2028two\u202e ${'long '.repeat(100)}`
    const [, note = ''] = addFootnotes(text, [cite(0, 23, quote, 0)]).split('\n\n')
    expect(note).toMatch(/^\[1\] "one \[31m two long .{270,300}"\n$/)
  })

  it('writes a place on one line, without control characters', () => {
    const place = 'sheet Budget\n[1] page 9: "forged"\u2028\u001b[31m\u202e'
    expect(addFootnotes(text, [cite(0, 23, 'a b', 10, place)])).toMatch(
      /\n\n\[1\] sheet Budget \[1\] page 9: "forged" \[31m: "a b"\n$/,
    )
  })

  it('puts a number into the last cell of a table row, and never inside a character', () => {
    const row = '| Gate | holds |\n'
    expect(addFootnotes(row, [cite(0, row.length, 'holds', 3)])).toMatch(/^\| Gate \| holds \[1\] \|\n\n/)
    expect(addFootnotes('A 🚢 waits', [cite(0, 3, 'ship', 3)])).toMatch(/^A 🚢 \[1\] waits\n\n/)
  })

  it('takes linear time for long runs of spaces and full stops, and for many passages', () => {
    for (const run of [' ', '.', '.\n'])
      expect(addFootnotes(`A${run.repeat(400_000)}b`, [cite(0, 400_000, 'q', 1)])).toContain('A [1]')
    const citations = Array.from({ length: 40_000 }, (_, n) => cite(n, n + 1, 'q', n))
    expect(addFootnotes('a'.repeat(40_000), citations)).toContain('[40000] "q"')
  })

  it('is undone for any places and quotes, with footnotes that look like others', () => {
    const words = fc.constantFrom(
      'a',
      '\n',
      '[1] ',
      '\n\n[1] "a"',
      '"',
      '\u2028',
      '\r',
      '\u202e',
      ' ',
      '[c1] ',
    )
    const texts = fc.array(words).map((all) => all.join(''))
    const citation = fc.record({
      supports: fc.record({ start: fc.nat(9), end: fc.nat(20) }),
      quote: texts,
      place: texts,
      found: fc.record({ start: fc.nat(3), end: fc.nat(3) }),
    })
    fc.assert(
      fc.property(texts, fc.array(citation, { minLength: 1 }), (text, citations) => {
        expect(removeFootnotes(addFootnotes(text, citations), citations).trimEnd()).toBe(text.trimEnd())
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps every character of the text, in order', () => {
    const citation = fc.record({
      supports: fc
        .tuple(fc.nat(60), fc.nat(60))
        .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) })),
      quote: fc.string(),
      found: fc.record({ start: fc.nat(3), end: fc.nat(3) }),
    })
    const plainTexts = fc.string({ maxLength: 60 }).filter((text) => !text.includes('['))
    fc.assert(
      fc.property(plainTexts, fc.array(citation, { minLength: 1 }), (text, citations) => {
        const noted = addFootnotes(text, citations)
        const body = noted.slice(0, noted.lastIndexOf('\n\n[1] '))
        expect(removeFootnotes(noted, citations).trimEnd()).toBe(text.trimEnd())
        expect(body.replace(/ (?:\[\d+\])+/g, '').trimEnd()).toBe(text.trimEnd())
      }),
    )
  })
})
