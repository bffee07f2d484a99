import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReportedCitation } from '../../../src/core/citations/citation.ts'
import { verifyCitations } from '../../../src/core/citations/verify-citations.ts'

/** Texts with characters of two UTF-16 units, repeated passages and line breaks. */
const texts = fc
  .array(
    fc.oneof(fc.constantFrom('ship ', 'tide ', '🚢', '潮', '\n', 'é', '. '), fc.string({ unit: 'grapheme' })),
  )
  .map((parts) => parts.join('').toWellFormed())
const countCodePoints = (text: string) => [...text].length
const hasWord = (quote: string) => /[\p{L}\p{N}]/u.test(quote)
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
        expect(found && text.slice(found.start, found.end)).toBe(quote)
        // The other reading may be a passage with the same words.
        if (text.indexOf(quote) === text.lastIndexOf(quote)) expect(found?.start).toBe(before.length)
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
        expect(text.slice(found.start, found.end)).toBe(quote)
        expect(hasWord(quote)).toBe(true)
        const isUnique = text.indexOf(quote) === text.lastIndexOf(quote)
        const readings = [place?.start, place && [...text].slice(0, place.start).join('').length]
        if (!isUnique) expect(readings).toContain(found.start)
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
