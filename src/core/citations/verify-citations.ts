import type { Document } from '../document/document.ts'
import { locate } from '../document/locate.ts'
import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'
import type { Citation, ReportedCitation, TextRange } from './citation.ts'

/**
 * Looks up each quote in the text that was sent. A quote counts as found if it is at the reported indexes, read as UTF-16
 * units or as code points, or if the text has it exactly once. Everything else is kept without a place, so that it is
 * never shown as support.
 * @param document as it was sent
 */
export function verifyCitations(
  citations: readonly ReportedCitation[],
  document: Pick<Document, 'text' | 'marks'>,
): readonly Citation[] {
  const { text } = document
  const toUnits = createIndexConverter(text)
  return citations.map(({ supports, quote, place }) => {
    const found = findQuote(text, quote, place?.unit === 'characters' ? place : undefined, toUnits)
    const words = found && locate(document, found.start)
    return { supports, quote, ...(found && { found }), ...(words !== undefined && { place: words }) }
  })
}

/** Returns the text that is sent of a document: well-formed. Without one, a text in which nothing is found. */
export function toSentText(document: Document | undefined): Pick<Document, 'text' | 'marks'> {
  const { text = '', marks } = document ?? {}
  return { text: replaceLoneSurrogates(text), ...(marks !== undefined && { marks }) }
}

function findQuote(
  text: string,
  quote: string,
  reported: TextRange | undefined,
  toUnits: (codePoints: number) => number,
): TextRange | undefined {
  // Punctuation alone supports no statement.
  if (!/[\p{L}\p{N}]/u.test(quote)) return undefined
  const isThere = (start: number) => text.startsWith(quote, start)
  if (reported !== undefined) {
    const starts = [reported.start, toUnits(reported.start)]
    const ends = [reported.end, toUnits(reported.end)]
    for (const [reading, start] of starts.entries())
      if (ends[reading] === start + quote.length && isThere(start)) return toRange(start, quote)
  }
  const first = text.indexOf(quote)
  return first === -1 || text.includes(quote, first + 1) ? undefined : toRange(first, quote)
}

function toRange(start: number, { length }: string): TextRange {
  return { start, end: start + length }
}

/** Returns a function that converts an index of code points to one of UTF-16 units. */
function createIndexConverter(text: string): (codePoints: number) => number {
  /** For each character of two units, its index in code points. */
  let wide: number[] | undefined
  const listWide = () => {
    const found: number[] = []
    for (const { index } of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) found.push(index - found.length)
    return found
  }
  return (codePoints) => {
    wide ??= listWide()
    let [low, high] = [0, wide.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((wide[middle] ?? 0) < codePoints) low = middle + 1
      else high = middle
    }
    return codePoints + low
  }
}
