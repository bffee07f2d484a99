import { francAll } from 'franc-min'

/**
 * Returns a function that checks whether a text is in a language. It returns true if the language cannot be
 * detected: for a few words, and for languages that franc-min does not know. It may confuse related
 * languages, such as Danish and Norwegian.
 * @param language in English, as {@link findLanguageName} returns it
 */
export function createLanguageCheck(language: string): (text: string) => boolean {
  const base = findBaseLanguage(language)
  let isDetectable: boolean | undefined
  return (text) => {
    const guesses = francAll(text.slice(0, 5000), { minLength: 40 })
    if (guesses[0]?.[0] === 'und') return true
    const ownGuess = guesses.find(([code]) => findDisplayName(code) === base)
    if (ownGuess !== undefined) return ownGuess[1] > 0.9
    isDetectable ??= listDetectableLanguages().has(base)
    return !isDetectable
  }
}

/**
 * Returns the English name of a language from its code (`de`, `deu`, `zh-Hant`), its English name (also with a region:
 * `Traditional Chinese`, `Portuguese (Brazil)`), or its own name (`Deutsch`); undefined if it is unknown.
 */
export function findLanguageName(text: string): string | undefined {
  const wanted = text.trim().toLowerCase()
  if (/^[a-z]{2,3}(-[a-z0-9-]+)?$/.test(wanted)) {
    const name = findDisplayName(wanted)
    if (name !== undefined) return name
  }
  const sorted = sortWords(wanted)
  return (
    listLanguageNames().find((name) => sortWords(name) === sorted) ??
    findByRegion(wanted) ??
    findByOwnName(wanted)
  )
}

/** Returns the English names of all languages and of variants that people ask for. */
export function listLanguageNames(): string[] {
  const codes = [...listTwoLetterCodes(), ...variantCodes]
  return codes.map((code) => findDisplayName(code)).filter((name) => name !== undefined)
}

/** `chinese (traditional)` and `traditional chinese` are the same. */
function sortWords(name: string): string {
  return (name.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []).sort().join(' ')
}

/** Finds `portuguese (brazil)`, which names the country. */
function findByRegion(wanted: string): string | undefined {
  const regions = new Intl.DisplayNames(['en'], { type: 'region' })
  return variantCodes
    .filter((code) => /-[A-Z]{2}$/.test(code))
    .find((code) => {
      const [language = '', region = ''] = code.split('-')
      return sortWords(`${findDisplayName(language)} ${regions.of(region)}`) === sortWords(wanted)
    })
    ?.replace(/.*/, (code) => findDisplayName(code) ?? '')
}

function findByOwnName(wanted: string): string | undefined {
  const code = [...listTwoLetterCodes(), ...variantCodes].find(
    (code) => findDisplayName(code) !== undefined && findDisplayName(code, code)?.toLowerCase() === wanted,
  )
  return code === undefined ? undefined : findDisplayName(code)
}

/** Variants of languages. Their summaries are checked as those of the language. */
const variantCodes = [
  ...['zh-Hans', 'zh-Hant', 'zh-HK', 'zh-TW', 'pt-BR', 'pt-PT', 'en-GB', 'en-US', 'en-AU', 'en-CA'],
  ...['fr-CA', 'fr-CH', 'fr-BE', 'de-AT', 'de-CH', 'es-ES', 'es-MX', 'es-419', 'es-AR', 'nl-BE'],
  ...['it-CH', 'sr-Latn', 'sr-Cyrl', 'nb', 'nn', 'fil', 'yue', 'haw', 'ckb', 'gsw'],
]

/** Returns the language of a variant; other names are returned unchanged. */
function findBaseLanguage(name: string): string {
  const code = variantCodes.find((code) => code.includes('-') && findDisplayName(code) === name)
  return (code && findDisplayName(code.split('-')[0] ?? '')) ?? name
}

function findDisplayName(code: string, locale = 'en'): string | undefined {
  try {
    return new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' }).of(code)
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
