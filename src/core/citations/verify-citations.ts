import type { Document } from '../document/document.ts'
import { locate } from '../document/locate.ts'
import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'
import type { Citation, ReportedCitation, TextRange } from './citation.ts'
import { createPageText, type PageText } from './page-text.ts'
import { cutsWord, findOnlyPlace } from './whole-words.ts'

/** The text of a document, for looking up quotes. */
export interface CitedText extends Pick<Document, 'text' | 'marks'> {
  /** Whether the API got the PDF and extracted its text itself. */
  readonly isUploaded?: boolean
}

/**
 * Looks up each quote in the text of the document. A quote counts as found if it is at the reported indexes, read as UTF-16
 * units or as code points, or if the text has it exactly once, and neither begins nor ends inside a word or a number. One of an uploaded PDF counts on the reported pages; see
 * {@link createPageText}. Everything else is kept without a place, so that it is never shown as support.
 */
export function verifyCitations(
  citations: readonly ReportedCitation[],
  document: CitedText,
): readonly Citation[] {
  const { text, marks = [], isUploaded = false } = document
  const toUnits = createIndexConverter(text)
  let pageText: PageText | undefined
  const hasPages = marks.some(({ kind }) => kind === 'page')
  const find = ({ quote, place }: ReportedCitation) => {
    // A document of a batch may be read as text here, and may have been sent as a PDF.
    if (!isUploaded && !(place?.unit === 'pages' && hasPages))
      return findQuote(text, quote, place?.unit === 'characters' ? place : undefined, toUnits)
    pageText ??= createPageText(text, marks)
    return pageText.find(quote, place?.unit === 'pages' ? place : undefined)
  }
  return citations.map((citation) => {
    const { supports, quote } = citation
    const found = find(citation)
    const words = found && locate(document, found.start)
    return { supports, quote, ...(found && { found }), ...(words !== undefined && { place: words }) }
  })
}

/**
 * Returns the text that can be cited: what is sent of it, well-formed, or what the API can read in a PDF. Without a
 * document, a text in which nothing is found.
 */
export function toCitedText(document: Document | undefined): CitedText {
  const { text = '', marks, upload } = document ?? {}
  if (upload?.type === 'pdf' && !upload.isPartial) return { text: '', ...upload.content, isUploaded: true }
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
  if (reported !== undefined) {
    const readings = [reported, { start: toUnits(reported.start), end: toUnits(reported.end) }]
    for (const { start, end } of readings) {
      const range = findAt(text, quote, start, end)
      if (range !== undefined) return range
    }
  }
  return findOnlyPlace(text, quote) ?? findOnlyPlace(text, quote.trim())
}

/** Returns the range if it is the quote. The API may quote a sentence with or without the white space after it. */
function findAt(text: string, quote: string, start: number, end: number): TextRange | undefined {
  const reported = text.slice(start, end)
  if (reported !== quote && reported.trim() !== quote.trim()) return undefined
  const from = reported === quote ? start : start + reported.length - reported.trimStart().length
  const range = { start: from, end: from + (reported === quote ? quote : reported.trim()).length }
  return cutsWord(text, range) ? undefined : range
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
