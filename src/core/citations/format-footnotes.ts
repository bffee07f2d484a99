import { toSingleLine } from '../text/to-single-line.ts'
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
  const passages = listPassages(citations)
  if (passages.length === 0) return text
  const prefix = findFreePrefix(text)
  const numbers = new Map(passages.map(({ found }, n) => [toKey(found), n + 1]))
  const marksByPosition = new Map<number, Set<string>>()
  for (const { supports, found } of citations) {
    const number = numbers.get(toKey(found))
    if (number === undefined) continue
    const position = findMarkPosition(text, supports)
    const marks = marksByPosition.get(position) ?? new Set()
    marksByPosition.set(position, marks.add(formatMark(prefix, number)))
  }
  const pieces: string[] = []
  let from = 0
  for (const [position, marks] of [...marksByPosition].sort(([a], [b]) => a - b)) {
    pieces.push(text.slice(from, position), ` ${[...marks].join('')}`)
    from = position
  }
  const body = [...pieces, text.slice(from)].join('').trimEnd()
  return `${body}\n\n${formatNotes(passages, prefix)}\n`
}

/** A text with footnotes, taken apart. */
interface FootnotedText {
  /** The text with the marks, without the list of footnotes. */
  readonly body: string
  /** What the marks have before their number: nothing, or letters. */
  readonly prefix: string
}

/**
 * Finds the footnotes of a text; undefined if it does not end with those of its citations.
 * @param citations those of the text
 */
export function findFootnotes(text: string, citations: readonly Citation[]): FootnotedText | undefined {
  const passages = listPassages(citations)
  const [, prefix] = [...text.matchAll(/^\[(c*)1\] /gm)].at(-1) ?? []
  if (passages.length === 0 || prefix === undefined) return undefined
  const notes = `\n\n${formatNotes(passages, prefix)}`
  const whole = text.trimEnd()
  return whole.endsWith(notes) ? { body: whole.slice(0, -notes.length), prefix } : undefined
}

/**
 * Returns a text as it was before {@link addFootnotes}; the text itself if it has none, or was edited.
 * @param citations those of the text
 */
export function removeFootnotes(text: string, citations: readonly Citation[]): string {
  const footnoted = findFootnotes(text, citations)
  if (footnoted === undefined) return text
  const { body, prefix } = footnoted
  const plain = body.replace(new RegExp(` (?:\\[${prefix}\\d+\\])+`, 'g'), '')
  return addFootnotes(plain, citations).trimEnd() === text.trimEnd() ? plain : text
}

/** Returns the passages that were found, each once, in the order of their numbers from 1. */
export function listPassages<Found extends Pick<Citation, 'found'>>(
  citations: readonly Found[],
): readonly Found[] {
  const passages = new Map<string, Found>()
  for (const citation of citations) {
    const key = toKey(citation.found)
    if (key !== undefined && !passages.has(key)) passages.set(key, citation)
  }
  return [...passages.values()]
}

function toKey(found: TextRange | undefined): string | undefined {
  return found && `${found.start} ${found.end}`
}

function formatNotes(passages: readonly Citation[], prefix: string): string {
  return passages
    .map(({ place, quote }, n) => {
      const where = place === undefined ? '' : `${toSingleLine(place)}: `
      return `${formatMark(prefix, n + 1)} ${where}"${formatQuote(quote)}"`
    })
    .join('\n')
}

function formatMark(prefix: string, number: number): string {
  return `[${prefix}${number}]`
}

/** Returns the shortest prefix with which no mark is in the text. */
function findFreePrefix(text: string): string {
  let prefix = ''
  while (new RegExp(`\\[${prefix}\\d+\\]`).test(text)) prefix += 'c'
  return prefix
}

/** Returns the end of a part, before what follows its words: a full stop, white space, or the end of a table row. */
function findMarkPosition(text: string, { start, end }: TextRange): number {
  const last = Math.min(end, text.length)
  let position = last
  while (position > start && /[\s.。|]/.test(text[position - 1] ?? '')) position--
  if (position <= start) position = last
  const isInCharacter = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(position - 1, position + 1))
  return isInCharacter ? position + 1 : position
}

/** Returns a quote as one line, without characters that could end the footnote or control a terminal, cut if it is long. */
export function formatQuote(quote: string): string {
  return truncate(toSingleLine(quote), maxQuoteChars)
}
