import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPageText } from '../../../src/core/citations/page-text.ts'
import { joinMarked } from '../../../src/core/document/mark.ts'

const joinPages = (pages: readonly string[]) =>
  joinMarked(
    pages.map((text, n) => ({ text, kind: 'page', label: String(n + 1) })),
    '\n\n',
  )
const find = (pages: readonly string[], quote: string, place?: { start: number; end: number }) => {
  const { text, marks } = joinPages(pages)
  const found = createPageText(text, marks).find(quote, place)
  return found && text.slice(found.start, found.end)
}
const anywhere = undefined

describe('createPageText', () => {
  it.each([
    ['white space', 'The tenant\npays  the\u00a0rent', 'The tenant pays the rent'],
    ['letters that are spaced out', 'A B S T R A C T of all', 'ABSTRACT of all'],
    ['a word that was divided at the end of a line', 'an exam-\nple of it', 'an example of it'],
    ['a divided word in the quote', 'an example of it', 'an exam-\n  ple of it'],
    ['a soft hyphen', 'an exam\u00adple of it', 'an example of it'],
    ['a control character as the space', 'the\u0002first\u0002pier', 'the first pier'],
    ['characters without width', '●\u200b First', '● First'],
    ['a hyphen of another kind', 'a well\u2010known pier', 'a well-known pier'],
    ['ligatures', 'the ﬁrst oﬃce', 'the first office'],
    ['ligatures in the quote', 'the first office', 'the ﬁrst oﬃce'],
    ['accents that are separate characters', 'Cafe\u0301 Zu\u0308rich', 'Café Zürich'],
    ['Chinese over two lines', '潮汐在\n午夜', '潮汐在午夜'],
    ['white space at its ends', 'The tenant pays.', ' The tenant pays. '],
    ['a line break at its end', 'The tenant pays.', 'The tenant pays.\r\n'],
  ])('finds a quote that differs in %s', (_, text, quote) => {
    expect(find([`Before. ${text}. After.`], quote)).toBe(text)
  })

  it.each([
    ['a minus', 'a change of -5 percent', 'a change of 5 percent'],
    ['a minus in the quote', 'a change of 5 percent', 'a change of -5 percent'],
    ['the columns of numbers', 'sold: 12 3', 'sold: 1 23'],
    ['a space in a number', 'sold: 1 2', 'sold: 12'],
    ['a decimal point', 'see 1. 5 boats', 'see 1.5 boats'],
    ['an exponent', 'an area of 10²', 'an area of 102'],
    ['a range', 'from 1-5 boats', 'from 15 boats'],
    ['case', 'the polish fleet', 'the Polish fleet'],
    ['a minus in front of it', 'a change of -5 percent', '5 percent'],
    ['a decimal in front of it', 'a change of 1.5 percent', '5 percent'],
    ['a percent sign after it', 'a change of 5%', 'a change of 5'],
    ['the beginning of its first word', 'the account was not found', 'count was not found'],
  ])('does not find a quote that differs in %s', (_, text, quote) => {
    expect(find([text], quote)).toBeUndefined()
  })

  it('finds a quote on the reported pages, and elsewhere only if it is there once', () => {
    const pages = ['It is due.', 'It is due. Or not.', '', 'It is due.']
    const findStart = (place?: { start: number; end: number }) => {
      const { text, marks } = joinPages(pages)
      return createPageText(text, marks).find('It is due.', place)?.start
    }
    expect(findStart({ start: 2, end: 3 })).toBe(12)
    // Page 3 has no text, and so no mark.
    expect(findStart({ start: 3, end: 5 })).toBe(32)
    expect(findStart({ start: 3, end: 4 })).toBeUndefined()
    expect(findStart(anywhere)).toBeUndefined()
    expect(find(pages, 'Or not.', { start: 4, end: 5 })).toBe('Or not.')
    expect(find(pages, 'Or not.', { start: 90, end: 95 })).toBe('Or not.')
  })

  it('finds a quote that goes from one page to the next', () => {
    expect(find(['The tenant', 'pays.'], 'The tenant pays.', { start: 1, end: 3 })).toBe(
      'The tenant\n\npays.',
    )
  })

  it('finds nothing for quotes without words', () => {
    for (const quote of ['', ' ', '...', '\u00ad', '-']) expect(find(['... - \u00ad'], quote)).toBeUndefined()
  })

  it('finds each passage of any pages, as another program would extract it', () => {
    const words = fc.constantFrom(
      'tide',
      'ofﬁce',
      'well-known',
      '12',
      '-3.5',
      'é',
      'e\u0301',
      '潮',
      '🚢',
      '(a)',
    )
    const page = fc.array(words, { minLength: 1, maxLength: 12 })
    const change = fc.func(fc.constantFrom(' ', '\n', '  ', '\u00a0'))
    fc.assert(
      fc.property(
        fc.array(page, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        change,
        (pages, pageIndex, from, length, toSpace) => {
          const at = pageIndex % pages.length
          const all = pages[at] ?? []
          const start = from % all.length
          const picked = all.slice(start, start + 1 + (length % (all.length - start)))
          fc.pre(/[\p{L}\p{N}]/u.test(picked.join('')))
          const quote = picked
            .map((word, n) => (n === 0 ? '' : toSpace(n)) + word.normalize('NFKD').normalize('NFC'))
            .join('')
          const texts = pages.map((words) => words.join(' '))
          const found = find(texts, quote, { start: at + 1, end: at + 2 })
          const strip = (text: string) => text.normalize('NFKC').replace(/\s/g, '')
          expect(found && strip(found)).toBe(strip(quote))
        },
      ),
      { numRuns: 1000 },
    )
  })
})
