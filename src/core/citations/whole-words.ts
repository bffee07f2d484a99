import type { TextRange } from './citation.ts'

/**
 * Whether a range begins or ends inside a word or a number: `count` in `account`, `5` in `15`, `1.5`, `-5`, `€5`, `5%` or
 * `5:30`. Such a passage may say something else than the document.
 */
export function cutsWord(text: string, { start, end }: TextRange): boolean {
  return isInWord(text, start) || isInWord(text, end)
}

function isInWord(text: string, at: number): boolean {
  const from = Math.max(0, at - maxContext)
  const context = text.slice(from, at + maxContext)
  for (const { 0: number, index } of context.matchAll(numbers))
    if (from + index < at && from + index + number.length > at) return true
  const [left = ''] = /[\p{L}\p{N}]\p{M}*$/u.exec(text.slice(from, at)) ?? []
  const [right = ''] = /^[\p{L}\p{N}\p{M}]/u.exec(text.slice(at, at + maxContext)) ?? []
  if (left === '' || right === '') return false
  // Scripts without spaces between words, and words that a table or a column has put together: `SalesGrowth`.
  return !unspaced.test(left) && !unspaced.test(right) && !(/^\p{Ll}/u.test(left) && /^\p{Lu}/u.test(right))
}

/** Longer numbers or rows of accents do not occur: UTF-16 units. */
const maxContext = 40

/** Numbers with their sign, currency, separators and percent sign. */
const numbers = /[-\u2010-\u2015\u2212+±]?\p{Sc}?\p{N}+(?:[.,:/'’]\p{N}+)*[%‰\p{Sc}]?/gu

const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** Returns where a text has a quote without cutting a word; undefined if that is nowhere or in several places. */
export function findOnlyPlace(text: string, quote: string): TextRange | undefined {
  let only: TextRange | undefined
  for (let start = text.indexOf(quote); start !== -1; start = text.indexOf(quote, start + 1)) {
    const range = { start, end: start + quote.length }
    if (cutsWord(text, range)) continue
    if (only !== undefined) return undefined
    only = range
  }
  return only
}
