import { francAll } from 'franc-min'

/**
 * Returns a function that checks whether a text is in a language. It returns true if the language cannot be
 * detected: for a few words, and for languages that franc-min does not know. It may confuse related
 * languages, such as Danish and Norwegian.
 * @param language in English, as {@link findLanguageName} returns it
 */
export function createLanguageCheck(language: string): (text: string) => boolean {
  let isDetectable: boolean | undefined
  return (text) => {
    const guesses = francAll(text.slice(0, 5000), { minLength: 40 })
    if (guesses[0]?.[0] === 'und') return true
    const ownGuess = guesses.find(([code]) => findDisplayName(code) === language)
    if (ownGuess !== undefined) return ownGuess[1] > 0.9
    isDetectable ??= listDetectableLanguages().has(language)
    return !isDetectable
  }
}

/**
 * Returns the English name of a language from its code (`de`, `deu`) or English name; undefined if it is
 * unknown.
 */
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

/**
 * Returns the languages that franc-min knows. For each text, franc-min rates all languages of the text's
 * script.
 */
function listDetectableLanguages(): ReadonlySet<string | undefined> {
  return new Set(
    scriptSamples.flatMap((text) => francAll(text, { minLength: 1 }).map(([code]) => findDisplayName(code))),
  )
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
