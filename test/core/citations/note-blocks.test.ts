import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Citation } from '../../../src/core/citations/citation.ts'
import { type Note, resolveNoteCitations, toNoteBlocks } from '../../../src/core/citations/note-blocks.ts'

const passage = (start: number, end: number, quote: string): Citation => ({
  supports: { start, end },
  quote,
  found: { start: quote.length, end: 2 * quote.length },
  place: `page ${quote.length}`,
})
const tides = {
  text: 'High water is at 06:12. The ferry waits.',
  citations: [passage(0, 23, 'a'), passage(24, 40, 'bb')],
}
const gate = { text: 'The gate holds.', citations: [{ supports: { start: 0, end: 15 }, quote: 'not there' }] }
const supports = { start: 3, end: 9 }
const blocks = (start: number, end: number) => ({ unit: 'blocks', start, end }) as const

describe('notes as blocks', () => {
  const cut = toNoteBlocks('[Notes.]', [tides, gate])

  it('are cut where the passages change', () => {
    expect(cut.map(({ text }) => text)).toEqual([
      '[Notes.]',
      '[Part 1 of 2]',
      'High water is at 06:12.',
      'The ferry waits.',
      '[Part 2 of 2]',
      'The gate holds.',
    ])
    expect(cut.map(({ citations }) => citations.map(({ quote }) => quote))).toEqual([
      [],
      [],
      ['a'],
      ['bb'],
      [],
      ['not there'],
    ])
  })

  it('lead a citation of a block to its passages of the document', () => {
    const { found, place } = passage(0, 1, 'bb')
    expect(resolveNoteCitations([{ supports, quote: 'The ferry waits.', place: blocks(3, 4) }], cut)).toEqual(
      [{ supports, quote: 'bb', found, place }],
    )
    const both = { supports, quote: 'High water is at 06:12. The ferry waits.', place: blocks(2, 4) }
    expect(resolveNoteCitations([both], cut).map(({ quote }) => quote)).toEqual(['a', 'bb'])
    const wide = { supports, quote: 'The ferry waits.', place: blocks(0, 100_000) }
    expect(resolveNoteCitations([wide], cut).map(({ quote }) => quote)).toEqual(['bb'])
    const parts = { supports, quote: 'at 06:12. The ferry', place: blocks(2, 4) }
    expect(resolveNoteCitations([parts], cut).map(({ quote }) => quote)).toEqual(['a', 'bb'])
  })

  it.each([
    ['a quote that is in another block', { quote: 'The ferry waits.', place: blocks(5, 6) }, ['bb']],
    ['no place', { quote: 'The ferry waits.' }, ['bb']],
    [
      'a place of another kind',
      { quote: 'The ferry waits.', place: { unit: 'characters', start: 1, end: 2 } as const },
      ['bb'],
    ],
    ['a quote that is nowhere', { quote: 'The tower fell.', place: blocks(3, 4) }, ['The tower fell.']],
    ['a heading', { quote: '[Part 1 of 2]', place: blocks(1, 2) }, ['[Part 1 of 2]']],
    [
      'a block whose own passage was not found',
      { quote: 'The gate holds.', place: blocks(5, 6) },
      ['The gate holds.'],
    ],
    ['a quote that several blocks have', { quote: '2]' }, ['2]']],
    ['an empty quote', { quote: ' ', place: blocks(0, 6) }, [' ']],
    ['a quote without words', { quote: '.', place: blocks(0, 6) }, ['.']],
    ['a part of a word', { quote: 'erry waits.', place: blocks(3, 4) }, ['erry waits.']],
    ['a part of a number', { quote: '6:12.', place: blocks(2, 3) }, ['6:12.']],
  ])('do not trust %s', (_, citation, quotes) => {
    const resolved = resolveNoteCitations([{ supports, ...citation }], cut)
    expect(resolved.map(({ quote }) => quote)).toEqual(quotes)
    expect(resolved.every(({ found }) => (found === undefined) === (quotes[0] !== 'bb'))).toBe(true)
  })

  it('contain all words of the notes, in order, with any passages', () => {
    const range = fc
      .tuple(fc.nat(50), fc.nat(50))
      .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))
    const note: fc.Arbitrary<Note> = fc.record({
      text: fc.string({ maxLength: 40 }),
      citations: fc.array(range.map((supports) => ({ supports, quote: 'q', found: { start: 0, end: 1 } }))),
    })
    fc.assert(
      fc.property(fc.array(note), (notes) => {
        const words = (text: string) => text.replace(/\s+/gu, '')
        const body = toNoteBlocks('', notes)
          .slice(1)
          .filter(({ text }) => !/^\[Part \d+ of \d+\]$/.test(text))
        expect(words(body.map(({ text }) => text).join(''))).toBe(
          words(notes.map(({ text }) => text).join('')),
        )
        expect(body.every(({ text }) => text.trim() === text && text !== '')).toBe(true)
      }),
    )
  })
})
