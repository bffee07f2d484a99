import type { OutputConstraints } from '../request/output-constraints.ts'

/**
 * Why a complete summary is flagged: it is a near-copy, has the wrong language or length, or a statement in it has no
 * citation that was found in the document.
 */
export const qualityIssueTypes = ['copy', 'language', 'length', 'uncited'] as const
export type QualityIssue = (typeof qualityIssueTypes)[number]

/**
 * Returns the quality checks that a summary fails.
 * @param document undefined if it is not available
 * @param isInLanguage whether a text is in the language of the constraints, as far as this can be detected
 */
export function checkQuality(
  summary: string,
  { language, words }: OutputConstraints,
  document: string | undefined,
  isInLanguage: (text: string) => boolean,
): QualityIssue[] {
  const issues: QualityIssue[] = []
  if (document !== undefined && isNearCopy(summary, document)) issues.push('copy')
  if (language !== undefined && !isInLanguage(summary)) issues.push('language')
  if (words !== undefined && isFarFromTarget(estimateWordCount(summary), words)) issues.push('length')
  return issues
}

/** Consecutive words that are compared: a match of this length is rarely a coincidence. */
const shingleWords = 6

/**
 * Whether a summary repeats most of its document literally. Documents of less than 80 words are exempt: a
 * summary of a few sentences always resembles them.
 */
function isNearCopy(summary: string, document: string): boolean {
  // Nearly all summaries are short enough to be decided by their length.
  if (summary.length < document.length / 2) return false
  const [summaryWords, documentWords] = [splitWords(summary), splitWords(document)]
  if (documentWords.length < 80 || summaryWords.length < 0.6 * documentWords.length) return false
  const documentShingles = new Set(listShingles(documentWords))
  const summaryShingles = [...listShingles(summaryWords)]
  return summaryShingles.filter((words) => documentShingles.has(words)).length > 0.8 * summaryShingles.length
}

function* listShingles(words: readonly string[]): Generator<string> {
  for (let n = 0; n + shingleWords <= words.length; n++) yield words.slice(n, n + shingleWords).join(' ')
}

function isFarFromTarget(length: number, target: number): boolean {
  return length > 1.6 * target || length < 0.4 * target
}

/** Returns the approximate number of words. In scripts without spaces, two characters count as one word. */
function estimateWordCount(text: string): number {
  const unspacedChars = text.match(unspacedScripts)?.length ?? 0
  return Math.round(unspacedChars / 2) + splitWords(text.replace(unspacedScripts, ' ')).length
}

const unspacedScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/gu

function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
}
