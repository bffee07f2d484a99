import { findBase64End, hasLongRun, isMixed } from './base64-run.ts'

/** Stands for an image in the text of a document. */
export const imageMark = '[image]'

const dataMark = '[data]'

/**
 * Returns a text without encoded files: a data URI of an image becomes `[image]`, one of another file
 * `[data]`, and so does a long block of base64. A model cannot read them, and an image may cost more than a
 * book. Takes time in proportion to the length of the text.
 */
export function omitEncodedData(text: string): string {
  return omitBase64Blocks(omitDataUris(text))
}

/** Matches the beginning of a data URI, such as `data:image/png;base64,`. */
const uriStart =
  /\bdata:\s?([a-z]{1,20})\\?\/[\w.+-]{1,100}(?:\s?;\s?[\w.+-]{1,40}(?:=(?:"[^"]{0,100}"|[^\s;,"'()<>]{0,100}))?){0,5}\s?,\s?/gi

/** Types whose data URIs are never text, not even without base64. */
const mediaTypes: ReadonlySet<string> = new Set(['image', 'audio', 'video', 'font'])

function omitDataUris(text: string): string {
  const findEnclosedEnd = createSearch(text)
  return replaceMatches(text, uriStart, ([uri = '', type = ''], start) => {
    const dataStart = start + uri.length
    const isBase64 = /;\s?base64\s?,\s?$/i.test(uri)
    const isMedia = mediaTypes.has(type.toLowerCase()) && !/\s/.test(uri)
    const end = isBase64
      ? findBase64End(text, dataStart)
      : isMedia
        ? findEnclosedEnd(text[start - 1], dataStart)
        : dataStart
    if (end - dataStart < minDataChars) return { end: dataStart }
    return { end, mark: /^image$/i.test(type) ? imageMark : dataMark }
  })
}

/** Shorter data is an example in a text about data URIs. */
const minDataChars = 8

/** Returns a function that finds where a URI without base64 ends, by the character before it. */
function createSearch(text: string): (opening: string | undefined, start: number) => number {
  const missing = new Set<string>()
  const find = (closing: string, start: number) => {
    const at = missing.has(closing) ? -1 : text.indexOf(closing, start)
    // Do not search the rest of the text again.
    if (at === -1) missing.add(closing)
    return at
  }
  return (opening = '', start) => {
    const isOpenSvg = text.startsWith('<svg', start) && !/["'`]/.test(opening)
    const closing = isOpenSvg ? '</svg>' : closings[opening]
    const end = closing === undefined ? -1 : find(closing, start)
    if (end !== -1) return isOpenSvg ? end + '</svg>'.length : text[end - 1] === '\\' ? end - 1 : end
    unenclosed.lastIndex = start
    return start + (unenclosed.exec(text)?.[0].length ?? 0)
  }
}

const closings: Readonly<Record<string, string>> = { '"': '"', "'": "'", '(': ')', '<': '>', '`': '`' }
const unenclosed = /[^\s"'<>()[\]\\]*/y

/** Matches the first characters of base64 that no data URI announces. */
const blockStart = /(?<![A-Za-z0-9+/_%=\\-])(?:\\?\/)?[A-Za-z0-9+/_-]{40}/g

function omitBase64Blocks(text: string): string {
  if (!hasLongRun(text)) return text
  return replaceMatches(text, blockStart, (_, start) => {
    const end = findBase64End(text, start)
    const beginning = text.slice(start, Math.min(end, start + minBlockChars)).replaceAll('\\', '')
    const isImage = imageStart.test(beginning)
    if (end - start < minBlockChars || !(isImage || isMixed(beginning))) return { end }
    return { end, mark: isImage ? imageMark : dataMark }
  })
}

/** Minimum characters of base64 that no data URI announces. Keys and hashes are shorter. */
const minBlockChars = 1000

/** Matches base64 of PNG, JPEG, GIF, WebP, TIFF and SVG. */
const imageStart = /^(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|SUkqA|TU0AK|PHN2Zy)/

/** Replaces parts of a text. @param replace returns where a part ends, and the mark that replaces it */
function replaceMatches(
  text: string,
  pattern: RegExp,
  replace: (match: RegExpExecArray, start: number) => { readonly end: number; readonly mark?: string },
): string {
  const parts: string[] = []
  let copied = 0
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { end, mark } = replace(match, match.index)
    pattern.lastIndex = Math.max(end, match.index + 1)
    if (mark === undefined) continue
    parts.push(text.slice(copied, match.index), mark)
    copied = end
  }
  return copied === 0 ? text : parts.join('') + text.slice(copied)
}
