import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkText } from '../../../src/core/chunking/chunk-text.ts'

/** Realistic texts: headings, table rows, speakers, scripts without spaces, very long words. */
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

describe('chunkText', () => {
  it('splits a text with CRLF at the same paragraphs as one with LF', () => {
    const text = Array.from({ length: 9 }, (_, n) => `Line one of ${n}.\nLine two of ${n}.\n\n`).join('')
    const chunks = chunkText(text, 80)
    expect(chunks.length).toBeGreaterThan(4)
    expect(chunks.slice(0, -1)).toEqual(chunks.slice(0, -1).map((chunk) => `${chunk.trimEnd()}\n\n`))
    const crlfChunks = chunkText(text.replaceAll('\n', '\r\n'), 80)
    expect(crlfChunks.slice(0, -1)).toEqual(
      crlfChunks.slice(0, -1).map((chunk) => `${chunk.trimEnd()}\r\n\r\n`),
    )
  })

  it('returns non-empty chunks within the limit that join to the text and split no character', () => {
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
          // A chunk ends inside a word only if it has no other boundary.
          if (/[\p{L}\p{N}]$/u.test(part) && /^[\p{L}\p{N}]/u.test(next))
            expect(part.trimStart()).not.toMatch(/\s/)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('returns a text that fits the limit as one chunk', () => {
    expect(chunkText('a b', 3)).toEqual(['a b'])
    expect(chunkText('', 3)).toEqual([''])
  })

  it('prefers chapters to headings, then paragraphs, speakers, lines, sentences and words', () => {
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

  it('keeps the chunk boundaries after an edited passage', () => {
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
