/** One of several versions of the same text. */
export interface AlternativeText {
  /** The media type. Some programs send one version as several parts of the same type. */
  readonly type: string
  readonly isHtml: boolean
  readonly text: string
}

/**
 * Returns the best version of a text. It is the plain one, unless that has no words, is far shorter than the
 * HTML, or only says that the message is HTML.
 */
export function chooseAlternative(parts: readonly AlternativeText[]): string {
  const versions = joinParts(parts)
  const plain = findLongest(versions.filter(({ isHtml }) => !isHtml))
  const html = findLongest(versions.filter(({ isHtml }) => isHtml))
  if (plain === '' || html === '') return plain || html
  return countLetters(plain) * 2 < countLetters(html) || isStub(plain, html) ? html : plain
}

function joinParts(parts: readonly AlternativeText[]): readonly AlternativeText[] {
  const versions = new Map<string, { readonly isHtml: boolean; readonly texts: string[] }>()
  for (const { type, isHtml, text } of parts) {
    const version = versions.get(type) ?? { isHtml, texts: [] }
    versions.set(type, version)
    if (text !== '') version.texts.push(text)
  }
  return [...versions].map(([type, { isHtml, texts }]) => ({ type, isHtml, text: texts.join('\n\n') }))
}

function findLongest(versions: readonly AlternativeText[]): string {
  let longest = { text: '', letters: 0 }
  for (const { text } of versions) {
    const letters = countLetters(text)
    if (letters > longest.letters) longest = { text, letters }
  }
  return longest.text
}

/** Whether a short plain text has other words than the HTML, like "This message is in HTML". */
function isStub(plain: string, html: string): boolean {
  if (plain.length > maxStubChars) return false
  const words = listWords(plain)
  const inHtml = new Set(listWords(html))
  const shared = words.filter((word) => inHtml.has(word)).length
  return shared * 2 < words.length && (countLetters(plain) <= countLetters(html) || /\bhtml\b/i.test(plain))
}

/** Characters of a plain text that may be a stub. */
const maxStubChars = 600

function listWords(text: string): readonly string[] {
  return (
    removeLinks(text)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

function countLetters(text: string): number {
  return removeLinks(text).replace(/[^\p{L}\p{N}]+/gu, '').length
}

/** Removes the addresses of links, which only a plain text spells out. */
function removeLinks(text: string): string {
  return text.replace(/https?:\/\/[^\s<>]{1,2000}/g, '')
}
