import type { TextRange } from './citation.ts'

/**
 * Whether a range begins or ends inside a word or a number: `count` in `account`, `5` in `15`, `1.5`, `-5`, `€5` or `5%`.
 * Such a passage may say something else than the document.
 */
export function cutsWord(text: string, { start, end }: TextRange): boolean {
  const before = text.slice(Math.max(0, start - maxContext), start)
  const after = text.slice(end, end + maxContext)
  const first = text.slice(start, start + maxContext)
  const last = text.slice(Math.max(start, end - maxContext), end)
  return isOneWord(before, first) || isOneWord(last, after) || isSigned(before, first) || hasUnit(last, after)
}

/** Two characters of two UTF-16 units. */
const maxContext = 4

function isOneWord(before: string, after: string): boolean {
  const [, left = ''] = /([\p{L}\p{N}]\p{M}*)$/u.exec(before) ?? []
  const [, right = ''] = /^([\p{L}\p{N}\p{M}])/u.exec(after) ?? []
  if (left === '' || right === '') return false
  // Scripts without spaces between words, and words that a table or a column has put together: `SalesGrowth`.
  return !unspaced.test(left) && !unspaced.test(right) && !(/^\p{Ll}/u.test(left) && /^\p{Lu}/u.test(right))
}

const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** Whether a number has a sign, a currency or more digits in front. */
function isSigned(before: string, after: string): boolean {
  return /^\p{N}/u.test(after) && /(?:[-\u2010-\u2015\u2212+±\p{Sc}]|\p{N}[.,'’])$/u.test(before)
}

/** Whether a number has more digits or a percent sign after it. */
function hasUnit(before: string, after: string): boolean {
  return /\p{N}$/u.test(before) && /^(?:[%‰\p{Sc}]|[.,'’]\p{N})/u.test(after)
}

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
