/** Why a summary may be worth a look, though it is whole: nothing is wrong on the wire. */
export const doubts = ['copy', 'language', 'length'] as const
export type Doubt = (typeof doubts)[number]

/** What was asked of a summary beside what its prompt says. */
export interface Wishes {
  /** In English: `German`. */
  readonly language?: string
  /** About so many. */
  readonly words?: number
}

/** What is said of them behind the prompt; nothing where there are none. */
export function wishText({ language, words }: Wishes): string {
  const parts = [
    ...(language === undefined ? [] : [`Write in ${language}, whatever language the document is in.`]),
    ...(words === undefined ? [] : [`Write about ${words} words.`]),
  ]
  return parts.length === 0 ? '' : `\n\n${parts.join(' ')} This goes before anything said about it above.`
}

/**
 * What is doubtful about a summary.
 * @param document undefined where it is not at hand
 * @param isIn whether a text is in a language, as far as can be told
 */
export function doubtsAbout(
  summary: string,
  { language, words }: Wishes,
  document: string | undefined,
  isIn: (text: string, language: string) => boolean,
): Doubt[] {
  const found: Doubt[] = []
  if (document !== undefined && isCopy(summary, document)) found.push('copy')
  if (language !== undefined && !isIn(summary, language)) found.push('language')
  if (words !== undefined && isFarOff(lengthInWords(summary), words)) found.push('length')
  return found
}

/** Words in a row; so many are hardly the same by chance. */
const shingle = 6

/** Most of the document, in its own words: nobody summarized anything. Of a few sentences a summary is one by nature. */
function isCopy(summary: string, document: string): boolean {
  // Nearly always that is all there is to see.
  if (summary.length < document.length / 2) return false
  const [short, long] = [wordsOf(summary), wordsOf(document)]
  if (long.length < 80 || short.length < 0.6 * long.length) return false
  const there = new Set(shingles(long))
  const own = [...shingles(short)]
  return own.filter((words) => there.has(words)).length > 0.8 * own.length
}

function* shingles(words: readonly string[]): Generator<string> {
  for (let n = 0; n + shingle <= words.length; n++) yield words.slice(n, n + shingle).join(' ')
}

function isFarOff(length: number, wanted: number): boolean {
  return length > 1.6 * wanted || length < 0.4 * wanted
}

/** Scripts without spaces have about a word for two of their characters. */
function lengthInWords(text: string): number {
  const dense = text.match(unspaced)?.length ?? 0
  return Math.round(dense / 2) + wordsOf(text.replace(unspaced, ' ')).length
}

const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/gu

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
}
