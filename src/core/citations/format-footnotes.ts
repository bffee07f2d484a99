import { truncate } from '../text/truncate.ts'
import type { Citation, TextRange } from './citation.ts'

/** A quote in a footnote is cut after this many characters. */
const maxQuoteChars = 300

/**
 * Returns an answer with numbers such as `[1]` after the parts that citations support, and a list of footnotes: place and
 * quote. Equal passages share a number. Citations that were not found get none. If the model wrote such numbers itself, the
 * marks are `[c1]`, so that its own never look like a footnote.
 */
export function addFootnotes(text: string, citations: readonly Citation[]): string {
  const toMark = createMarkFormat(text)
  const passages = listPassages(citations)
  const numbersByEnd = new Map<number, Set<number>>()
  for (const { supports, found } of citations) {
    if (found === undefined) continue
    const number = passages.findIndex((passage) => isSame(passage.found, found)) + 1
    const end = findMarkPosition(text, supports)
    numbersByEnd.set(end, (numbersByEnd.get(end) ?? new Set()).add(number))
  }
  if (passages.length === 0) return text
  const notes = passages.map(
    ({ place, quote }, n) =>
      `${toMark(n + 1)} ${place === undefined ? '' : `${place}: `}"${formatQuote(quote)}"`,
  )
  const pieces: string[] = []
  let from = 0
  for (const [end, marks] of [...numbersByEnd].sort(([a], [b]) => a - b)) {
    pieces.push(text.slice(from, end), ` ${[...marks].map(toMark).join('')}`)
    from = end
  }
  return `${[...pieces, text.slice(from)].join('').trimEnd()}\n\n${notes.join('\n')}\n`
}

/**
 * Returns a text as it was before {@link addFootnotes}; the text itself if it has none, or was edited.
 * @param citations those of the text
 */
export function removeFootnotes(text: string, citations: readonly Citation[]): string {
  const [notes, prefix = ''] = [...text.matchAll(/^\[(c*)1\] /gm)].at(-1) ?? []
  if (notes === undefined) return text
  const body = text.slice(0, text.lastIndexOf(`\n${notes}`)).trimEnd()
  const plain = body.replace(new RegExp(` (?:\\[${prefix}\\d+\\])+`, 'g'), '')
  return addFootnotes(plain, citations).trimEnd() === text.trimEnd() ? plain : text
}

/** Returns the passages that were found, each once, in the order of their numbers from 1. */
export function listPassages<Found extends Pick<Citation, 'found'>>(
  citations: readonly Found[],
): readonly Found[] {
  const passages = new Map<string, Found>()
  for (const citation of citations) {
    const { found } = citation
    if (found === undefined) continue
    const key = `${found.start} ${found.end}`
    if (!passages.has(key)) passages.set(key, citation)
  }
  return [...passages.values()]
}

function isSame(a: TextRange | undefined, b: TextRange): boolean {
  return a?.start === b.start && a.end === b.end
}

function createMarkFormat(text: string): (number: number) => string {
  let prefix = ''
  while (new RegExp(`\\[${prefix}\\d+\\]`).test(text)) prefix += 'c'
  return (number) => `[${prefix}${number}]`
}

/** Returns the end of a part, before the full stop and the white space that follow its words. */
function findMarkPosition(text: string, { start, end }: TextRange): number {
  const words = text.slice(start, end).replace(/[\s.。]+$/u, '')
  return words === '' ? end : start + words.length
}

/** Returns a quote as one line, without characters that could end the footnote or control a terminal. */
export function formatQuote(quote: string): string {
  return truncate(quote.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), maxQuoteChars)
}
