import { describe, expect, it } from 'vitest'
import { quoteShellWord } from '../../../src/core/text/quote-shell-word.ts'

describe('quoteShellWord', () => {
  it.each([
    ['out/a.b', 'out/a.b'],
    ['my out', "'my out'"],
    ["it's", "'it'\\''s'"],
    ['C:\\out', "'C:\\out'"],
  ])('quotes %s as %s for a POSIX shell', (path, word) => expect(quoteShellWord(path, '/')).toBe(word))

  it.each([
    ['C:\\out\\a.b', 'C:\\out\\a.b'],
    ['C:\\my out', '"C:\\my out"'],
    ['C:\\my out\\', '"C:\\my out\\\\"'],
    ["it's", '"it\'s"'],
    ['a,b', '"a,b"'],
  ])('quotes %s as %s on Windows', (path, word) => expect(quoteShellWord(path, '\\')).toBe(word))
})
