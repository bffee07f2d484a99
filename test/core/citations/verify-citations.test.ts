import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReportedCitation } from '../../../src/core/citations/citation.ts'
import { verifyCitations } from '../../../src/core/citations/verify-citations.ts'
import { cutsWord } from '../../../src/core/citations/whole-words.ts'

/** Texts with characters of two UTF-16 units, repeated passages and line breaks. */
const texts = fc
  .array(
    fc.oneof(fc.constantFrom('ship ', 'tide ', '🚢', '潮', '\n', 'é', '. '), fc.string({ unit: 'grapheme' })),
  )
  .map((parts) => parts.join('').toWellFormed())
const countCodePoints = (text: string) => [...text].length
const hasWord = (quote: string) => /[\p{L}\p{N}]/u.test(quote)
const listPlaces = (text: string, quote: string) =>
  Array.from({ length: text.length }, (_, start) => ({ start, end: start + quote.length })).filter(
    ({ start }) => text.startsWith(quote, start),
  )
const supports = { start: 0, end: 1 }
const verifyOne = (citation: Omit<ReportedCitation, 'supports'>, text: string) => {
  const [verified] = verifyCitations([{ supports, ...citation }], { text })
  return verified
}

/** A passage of a text, between characters. */
const passages = fc
  .tuple(texts, fc.nat(), fc.nat())
  .map(([text, from, length]) => {
    const characters = [...text]
    const start = from % (characters.length + 1)
    const end = start + (length % (characters.length - start + 1))
    const before = characters.slice(0, start).join('')
    return { text, before, quote: characters.slice(start, end).join('') }
  })
  .filter(({ quote }) => hasWord(quote))

describe('verifyCitations', () => {
  it('finds each passage at its place, whether indexes count UTF-16 units or code points', () => {
    fc.assert(
      fc.property(passages, fc.boolean(), ({ text, before, quote }, inUnits) => {
        const measure = inUnits ? (part: string) => part.length : countCodePoints
        const start = measure(before)
        const place = { unit: 'characters', start, end: start + measure(quote) } as const
        const { found } = verifyOne({ quote, place }, text) ?? {}
        if (cutsWord(text, { start: before.length, end: before.length + quote.length })) return
        expect(found && text.slice(found.start, found.end).trim()).toBe(quote.trim())
        // The other reading may be a passage with the same words.
        if (text.indexOf(quote.trim()) === text.lastIndexOf(quote.trim()))
          expect([before.length, text.indexOf(quote.trim())]).toContain(found?.start)
      }),
      { numRuns: 2000 },
    )
  })

  it('never shows a passage that is not there, with any quote and any indexes', () => {
    const places = fc.record({
      unit: fc.constantFrom('characters', 'pages', 'blocks'),
      start: fc.nat(200),
      end: fc.nat(300),
    } as const)
    const quotes = fc.oneof(texts, fc.constantFrom('', ' ', '...', '\ud83d', 'tide ship'))
    fc.assert(
      fc.property(texts, quotes, fc.option(places), (text, quote, place) => {
        const verified = verifyOne({ quote, ...(place && { place }) }, text)
        const { found } = verified ?? {}
        if (found === undefined) return
        expect(text.slice(found.start, found.end).trim()).toBe(quote.trim())
        expect(hasWord(quote)).toBe(true)
        expect(cutsWord(text, found)).toBe(false)
        const isUnique = text.indexOf(quote) === text.lastIndexOf(quote)
        const readings = [place?.start, place && [...text].slice(0, place.start).join('').length]
        const isAtReading = readings.some(
          (start) => start != null && start <= found.start && text.slice(start, found.start).trim() === '',
        )
        const isOnlyWhole = listPlaces(text, quote).filter((range) => !cutsWord(text, range)).length === 1
        if (!isUnique) expect(isAtReading || isOnlyWhole).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('finds a passage with shifted or missing indexes only if the text has it once', () => {
    const text = 'The ferry waits. The tide turns. The ferry waits.'
    const shifted = { unit: 'characters', start: 20, end: 35 } as const
    expect(verifyOne({ quote: 'The tide turns.', place: shifted }, text)?.found).toEqual({
      start: 17,
      end: 32,
    })
    expect(verifyOne({ quote: 'The tide turns.' }, text)?.found).toEqual({ start: 17, end: 32 })
    expect(verifyOne({ quote: 'The ferry waits.' }, text)?.found).toBeUndefined()
    expect(verifyOne({ quote: 'The ferry waits.', place: shifted }, text)?.found).toBeUndefined()
    const second = { unit: 'characters', start: 33, end: 49 } as const
    expect(verifyOne({ quote: 'The ferry waits.', place: second }, text)?.found).toEqual({
      start: 33,
      end: 49,
    })
  })

  it.each([
    ['I agree. Yes. I agree. No.', 'I agree.', 14, 23],
    ['I agree. Yes. I agree. No.', 'I agree. ', 14, 22],
    ['I agree. Yes. I agree.\r\nNo.', 'I agree.\r\n', 14, 22],
  ])('ignores white space at the ends of a passage: in %j, %j at %i to %i', (text, quote, start, end) => {
    const found = verifyOne({ quote, place: { unit: 'characters', start, end } }, text)?.found
    expect(found && [found.start, text.slice(found.start, found.end).trim()]).toEqual([14, 'I agree.'])
  })

  it.each([
    ['5 million euros.', 'It cost 15 million euros.'],
    ['5 percent.', 'Growth was -5 percent.'],
    ['5 percent.', 'Growth was \u22125 percent.'],
    ['5 percent.', 'Growth was 1.5 percent.'],
    ['5 million.', 'It cost €5 million.'],
    ['Growth was 1', 'Growth was 1.5 percent.'],
    ['Growth was 5', 'Growth was 5% in May.'],
    ['Growth was 5.', 'Growth was 5.5 percent.'],
    ['.5 percent.', 'Growth was 1.5 percent.'],
    ['It opens at 5', 'It opens at 5:30 today.'],
    ['It lost €', 'It lost €5 today.'],
    ['A loss of -', 'A loss of -5 percent.'],
    ['Growth was 5', 'Growth was 50 in May.'],
    ['count was not found', 'The account was not found.'],
    ['The count', 'The counter was found.'],
    ['cafe', 'A cafe\u0301 is open.'],
  ])('does not take %j for a passage of %j', (quote, text) => {
    const start = text.indexOf(quote)
    const place = { unit: 'characters', start, end: start + quote.length } as const
    expect(verifyOne({ quote }, text)?.found).toBeUndefined()
    expect(verifyOne({ quote, place }, text)?.found).toBeUndefined()
  })

  it.each([
    ['5 million euros.', 'It cost (5 million euros.)'],
    ['count', 'The account is no count.'],
    ['東京は雨', '今日の東京は雨です。'],
    ['Growth was 5.', 'Sales.Growth was 5. Costs fell.'],
    ['Growth was', 'SalesGrowth was 5.'],
    ['It opens.', 'It opens.3 It closes.'],
    ['COVID', 'It was COVID-19.'],
    ['from 3', 'from 3-5 boats'],
  ])('takes %j for a passage of %j', (quote, text) => {
    expect(verifyOne({ quote }, text)?.found?.start).toBe(text.lastIndexOf(quote))
  })

  it('says where in the document a passage is', () => {
    const text = 'One.\n\nTwo tides.\n'
    const marks = [
      { offset: 0, kind: 'page', label: '1' },
      { offset: 6, kind: 'page', label: '2' },
    ] as const
    expect(verifyCitations([{ supports, quote: 'Two tides.' }], { text, marks })).toMatchObject([
      { place: 'page 2' },
    ])
    expect(verifyOne({ quote: 'Two tides.' }, text)?.place).toBe('line 3')
    expect(verifyOne({ quote: 'Three tides.' }, text)).toEqual({ supports, quote: 'Three tides.' })
  })

  it('takes linear time for a long text with many citations', () => {
    const text = '🚢 The tide turns. '.repeat(100_000)
    const citations = Array.from({ length: 200 }, (_, n) => ({
      supports,
      quote: 'The tide turns.',
      place: { unit: 'characters', start: 18 * n + 2, end: 18 * n + 17 } as const,
    }))
    expect(verifyCitations(citations, { text }).filter(({ found }) => found !== undefined).length).toBe(200)
  })
})
