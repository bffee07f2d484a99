import type { Citation, TextRange } from './citation.ts'

/**
 * Lists the statements of an answer: its bullets and sentences. Headings, lines that introduce a list, and rules are
 * none.
 */
export function listStatements(text: string): readonly TextRange[] {
  const statements: TextRange[] = []
  for (const { 0: line, index } of text.matchAll(/[^\n]+/g)) {
    const [marker = ''] = /^\s*(?:[-*+•]\s+|\d+[.)]\s+|>\s*)*/.exec(line) ?? []
    const body = line.slice(marker.length)
    if (/^\s*#{1,6}\s/.test(body) || /[:：][\s*]*$/.test(body)) continue
    let from = 0
    for (const end of [...findSentenceEnds(body), body.length]) {
      const sentence = body.slice(from, end)
      const start = index + marker.length + from
      from = end
      if (countWords(sentence) >= minWords) statements.push({ start, end: start + sentence.trimEnd().length })
    }
  }
  return statements
}

/** Yields the ends of the sentences of a line, with the white space after them. */
function* findSentenceEnds(line: string): Generator<number> {
  for (const { 0: end, index } of line.matchAll(sentenceEnds)) yield index + end.length
}

/** It begins at the first of several marks only, so that the time is linear for a million of them. */
const sentenceEnds = /(?:(?<![.!?])[.!?]+["'”’)\]*_]*(?=\s|$)|[。！？]+)\s*/gu

/** Shorter pieces are names and abbreviations, such as `e.g.`, rather than statements. */
const minWords = 3

function countWords(text: string): number {
  const unspaced = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu)
  return (text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0) + (unspaced?.length ?? 0) / 2
}

/**
 * Returns the share of the statements of an answer that have a citation that was found in the document; undefined if it has
 * no statements.
 */
export function computeCoverage(text: string, citations: readonly Citation[]): number | undefined {
  const supported = citations.filter(({ found }) => found !== undefined).map(({ supports }) => supports)
  const statements = listStatements(text)
  const covered = statements.filter((statement) =>
    supported.some(({ start, end }) => start < statement.end && end > statement.start),
  )
  return statements.length === 0 ? undefined : covered.length / statements.length
}

/** Whether a statement of the answer has no citation that was found in the document. */
export function hasUncitedStatement(text: string, citations: readonly Citation[]): boolean {
  const coverage = computeCoverage(text, citations)
  return coverage !== undefined && coverage < 1
}
