import { francAll } from 'franc-min'

/**
 * Whether a text is in a language, as far as can be told: of a few words nothing can, and neighbours such as Danish and
 * Norwegian are not told apart for certain. Library: franc-min, which knows the 82 languages most people write.
 * @param language in English, as {@link findLanguageName} gives it
 */
export function isInLanguage(text: string, language: string): boolean {
  const guesses = francAll(text.slice(0, 5000), { minLength: 40 })
  const ownGuess = guesses.find(([code]) => findDisplayName(code) === language)
  // Unknown to it, or too short.
  if (guesses[0]?.[0] === 'und' || (ownGuess === undefined && !listDetectableLanguages().has(language)))
    return true
  return (ownGuess?.[1] ?? 0) > 0.9
}

/** The English name of a language that is named by its code (`de`, `deu`) or its English name; undefined for none. */
export function findLanguageName(text: string): string | undefined {
  const wanted = text.trim().toLowerCase()
  if (/^[a-z]{2,3}(-[a-z0-9-]+)?$/.test(wanted)) {
    const name = findDisplayName(wanted)
    if (name !== undefined) return name
  }
  return listTwoLetterCodes()
    .map(findDisplayName)
    .find((name) => name?.toLowerCase() === wanted)
}

function findDisplayName(code: string): string | undefined {
  try {
    return new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }).of(code)
  } catch {
    return undefined
  }
}

function listTwoLetterCodes(): string[] {
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  return letters.flatMap((a) => letters.map((b) => a + b))
}

let detectableLanguages: ReadonlySet<string | undefined> | undefined

/** Those it can tell: of a text it names all languages of that script. */
function listDetectableLanguages(): ReadonlySet<string | undefined> {
  detectableLanguages ??= new Set(
    scriptSamples.flatMap((text) => francAll(text, { minLength: 1 }).map(([code]) => findDisplayName(code))),
  )
  return detectableLanguages
}

const scriptSamples = [
  'the quick brown fox',
  'быстрая лиса',
  'तेज लोमड़ी',
  'ثعلب سريع',
  'שועל חום מהיר',
  '狐狸',
  'きつね',
  '여우',
  'αλεπού',
  'นก',
]
