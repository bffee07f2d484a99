/** Why a summary may be worth a look, though it is whole: nothing is wrong on the wire. */
export const qualityIssueTypes = ['copy', 'language', 'length'] as const
export type QualityIssue = (typeof qualityIssueTypes)[number]

/** The language and length that flags ask for. */
export interface OutputConstraints {
  /** In English: `German`. */
  readonly language?: string
  /** About so many. */
  readonly words?: number
}

/** Returns the instructions to append to a prompt: empty where there are no constraints. */
export function formatConstraints({ language, words }: OutputConstraints): string {
  const instructions = [
    ...(language === undefined ? [] : [`Write in ${language}, whatever the language of the document.`]),
    ...(words === undefined ? [] : [`Write about ${words} words.`]),
  ]
  if (instructions.length === 0) return ''
  const subjects = [language !== undefined && 'language', words !== undefined && 'length'].filter(Boolean)
  return `\n\n${instructions.join(' ')} This overrides everything above about ${subjects.join(' and ')}.`
}

/**
 * Returns the quality checks that a summary fails.
 * @param document undefined where it is not at hand
 * @param isInLanguage whether a text is in the language of the constraints, as far as can be told
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

/** Words in a row; so many are hardly the same by chance. */
const shingleWords = 6

/** Most of the document, in its own words: nobody summarized anything. Of a few sentences a summary is one by nature. */
function isNearCopy(summary: string, document: string): boolean {
  // Nearly always that is all there is to see.
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

/** Scripts without spaces have about a word for two of their characters. */
function estimateWordCount(text: string): number {
  const unspacedChars = text.match(unspacedScripts)?.length ?? 0
  return Math.round(unspacedChars / 2) + splitWords(text.replace(unspacedScripts, ' ')).length
}

const unspacedScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/gu

function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
}
