import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkText } from '../../../src/core/chunking/chunk-text.ts'

/** Texts as people and programs have them: headings, lists, rows, speakers, scripts without spaces, endless words. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '# Chapter\n',
        '## Section\n',
        '\n\n',
        '\n',
        ' ',
        'Anna Lind: ',
        '. ',
        '。',
        'a;b;c\n',
        '🙂',
        '\r\n',
      ),
      fc.stringMatching(/^[a-zäöü]{1,12}$/),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.stringMatching(/^x{30,80}$/),
    ),
    { maxLength: 200 },
  )
  .map((pieces) => pieces.join(''))

describe('cutting a text', () => {
  it('gives parts that in order are the text, none over the limit, none empty, none in the middle of a character', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 300 }), (text, limit) => {
        const parts = chunkText(text, limit)
        expect(parts.join('')).toBe(text)
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(limit)
        if (text !== '') expect(parts).not.toContain('')
        for (const [n, part] of parts.entries()) {
          const next = parts[n + 1]
          if (next === undefined) continue
          expect(/[\ud800-\udbff]$/.test(part) && /^[\udc00-\udfff]/.test(next)).toBe(false)
          // In a word only where there was no other place to cut.
          if (/[\p{L}\p{N}]$/u.test(part) && /^[\p{L}\p{N}]/u.test(next))
            expect(part.trimStart()).not.toMatch(/\s/)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('leaves a text whole that is short enough', () => {
    expect(chunkText('a b', 3)).toEqual(['a b'])
    expect(chunkText('', 3)).toEqual([''])
  })

  it('prefers chapters to headings, these to paragraphs, these to lines, sentences and words', () => {
    const filler = 'word '.repeat(12).trimEnd()
    const strengths = [
      '\n# One',
      '\n## Two',
      '\n### Three',
      '\n\nfour',
      '\nAnna Lind: five',
      '\nsix',
      '. Seven',
      ' eight',
    ]
    for (const [n, strong] of strengths.entries())
      for (const weak of strengths.slice(n + 1)) {
        const [first = ''] = chunkText(`${filler}${weak} ${filler}${strong} ${filler} ${filler}`, 170)
        expect([strong, weak, first.trimEnd().replace(/\.$/, '').endsWith(filler)]).toEqual([
          strong,
          weak,
          true,
        ])
        expect(first).toContain(weak.trim())
      }
  })

  it('cuts behind an edit where it cut before', () => {
    const chapter = (n: number) =>
      `# Chapter ${n}\n\n${`Of the ${n}th voyage there is much to tell. `.repeat(40 + (n % 7) * 12)}\n\n`
    const book = Array.from({ length: 60 }, (_, n) => chapter(n))
    const before = chunkText(book.join(''), 8000)
    for (const edited of [3, 20, 41]) {
      const after = chunkText(
        book
          .map((text, n) => (n === edited ? text.replace('much', 'more than ever, and still much') : text))
          .join(''),
        8000,
      )
      expect(after.filter((part) => !before.includes(part)).length).toBeLessThanOrEqual(2)
    }
  })
})
