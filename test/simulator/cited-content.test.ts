import { describe, expect, it } from 'vitest'
import { createCitedContent } from '../../src/simulator/cited-content.ts'

/** Returns what the simulator quotes from a document for each statement of an answer. */
function listQuotes(answer: string, text: string): string[] {
  const document = { text, title: null, index: 0 }
  const content = createCitedContent(answer, document, undefined) as {
    citations: { cited_text: string; start_char_index: number; end_char_index: number }[] | null
  }[]
  const characters = [...text]
  return content.flatMap(({ citations }) =>
    (citations ?? []).map(({ cited_text: quote, start_char_index: start, end_char_index: end }) => {
      expect(characters.slice(start, end).join('')).toBe(quote)
      return quote
    }),
  )
}

describe('the simulator quotes the sentence that the document has', () => {
  it.each([
    ['as it is', 'The keeper is old.', 'The keeper is old.'],
    ['with other white space', 'The keeper is old.', 'The\nkeeper   is\told.'],
    ['with marks of Markdown', 'The keeper is old.', 'The **keep**er `is` _old_.'],
    ['with marks of reStructuredText', 'Run list-keys now.', 'Run ``list-keys`` now.'],
    ['with tags', 'The keeper is old.', 'The <b>keeper</b> is\n<a href="#old">old.'],
    ['after characters of two units', 'The keeper is old.', 'The keeper is old.'],
  ])('%s', (_name, answer, quote) => {
    expect(listQuotes(`[simulated] ${answer}`, `🦭🦭 A seal.\n\n${quote} Nobody knows.`)).toEqual([quote])
  })

  it('and nothing for a sentence that it does not have', () => {
    expect(listQuotes('The keeper is young.', 'The keeper is old.')).toEqual([])
  })
})
