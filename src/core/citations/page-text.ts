import type { Mark } from '../document/mark.ts'
import type { TextRange } from './citation.ts'
import { cutsWord } from './whole-words.ts'

/** Finds quotes of a PDF whose text the API extracted itself. */
export interface PageText {
  /**
   * Returns where a quote is: its first place on these pages, or else its only place in the document.
   * @param pages from 1, the end exclusive; undefined if they are not known
   */
  find(quote: string, pages: TextRange | undefined): TextRange | undefined
}

/**
 * Prepares the text of a PDF for quotes of a text that another program extracted. White space next to a letter, hyphens
 * between letters, ligatures and the composition of accents may differ. Everything else must be equal: `1 23` is not
 * `12 3`, and `-5` is not `5`.
 * @param marks where each page begins; a page without text has none
 */
export function createPageText(text: string, marks: readonly Mark[]): PageText {
  const document = normalize(text)
  const pageMarks = marks.filter(({ kind }) => kind === 'page')
  const findPageStart = (page: number) =>
    pageMarks.find(({ label }) => Number(label) >= page)?.offset ?? text.length
  const toRange = (at: number, length: number): TextRange => ({
    start: document.starts[at] ?? 0,
    end: document.ends[at + length - 1] ?? text.length,
  })
  return {
    find(quote, pages) {
      const wanted = normalize(quote.trim()).text
      if (!/[\p{L}\p{N}]/u.test(wanted)) return undefined
      const [from, to] = pages ? [findPageStart(pages.start), findPageStart(pages.end)] : [0, 0]
      let only: TextRange | undefined
      let places = 0
      for (let at = document.text.indexOf(wanted); at !== -1; at = document.text.indexOf(wanted, at + 1)) {
        const range = toRange(at, wanted.length)
        if (cutsWord(text, range)) continue
        if (range.start >= from && range.end <= to) return range
        only = range
        places++
      }
      return places === 1 ? only : undefined
    },
  }
}

/** A text in the form in which texts are compared, and for each of its units where it begins and ends in the original. */
interface NormalizedText {
  readonly text: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

function normalize(original: string): NormalizedText {
  let text = ''
  const starts: number[] = []
  const ends: number[] = []
  for (const { 0: piece, index } of original.matchAll(/[\s\p{Cc}]+|\P{M}\p{M}*|\p{M}+/gu)) {
    const end = index + piece.length
    const units = normalizePiece(piece, original, index, end)
    text += units
    for (let n = 0; n < units.length; n++) {
      starts.push(index)
      ends.push(end)
    }
  }
  return { text, starts, ends }
}

/**
 * @param piece white space, or a character with its accents. Fonts that do not name their characters have a control
 *   character as the space. Soft hyphens and joiners are format characters.
 */
function normalizePiece(piece: string, text: string, start: number, end: number): string {
  if (/^[\s\p{Cc}]/u.test(piece)) return isLetterBefore(text, start) || isLetterAfter(text, end) ? '' : ' '
  if (/^\p{Cf}/u.test(piece)) return ''
  if (/^[-\u2010\u2011]$/.test(piece))
    return isLetterBefore(text, start) && isLetterAfter(text, skipWhiteSpace(text, end)) ? '' : '-'
  return /^[\ufb00-\ufdff\ufe70-\ufeff]/.test(piece) ? piece.normalize('NFKC') : piece.normalize('NFC')
}

function isLetterBefore(text: string, end: number): boolean {
  return /[\p{L}\p{M}]$/u.test(text.slice(Math.max(0, end - 2), end))
}

function isLetterAfter(text: string, start: number): boolean {
  return /^\p{L}/u.test(text.slice(start, start + 2))
}

function skipWhiteSpace(text: string, start: number): number {
  const { length } = /^\s*/.exec(text.slice(start, start + maxBreakChars))?.[0] ?? ''
  return start + length
}

/** A hyphen at the end of a line has at most as much white space after it: characters. */
const maxBreakChars = 20
