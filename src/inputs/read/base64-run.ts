/**
 * Returns the index after the base64 that begins here, which may be broken into lines. It may have the
 * escapes of JSON (`\/`, `\n`) and URLs (`%2B`). Takes time in proportion to its length.
 */
export function findBase64End(text: string, start: number): number {
  let end = findRunEnd(text, start)
  let lineLength = end - start
  while (lineLength >= minLineChars && text[end - 1] !== '=') {
    const next = end + countGapChars(text, end)
    const nextEnd = findRunEnd(text, next)
    const isLong = nextEnd - next >= minLineChars
    if (next === end || !(isLong || isLastLine(text, next, nextEnd))) break
    lineLength = nextEnd - next
    end = nextEnd
  }
  return end
}

/** Minimum characters of a line that another one follows. */
const minLineChars = 40

/**
 * Whether a text has as many letters, digits, `+`, `/`, `-` or `_` without a break as a line of base64. Looks only at every
 * 40th character and the words there, which takes a tenth of the time of a regular expression.
 */
export function hasLongRun(text: string): boolean {
  for (let at = minLineChars - 1; at < text.length; at += minLineChars) {
    let start = at
    while (isRunCode[text.charCodeAt(start)]) start--
    let end = at
    while (isRunCode[text.charCodeAt(end)]) end++
    if (end - start > minLineChars) return true
  }
  return false
}

/** Whether a short line ends the base64. It might be a word of the text that follows. */
function isLastLine(text: string, start: number, end: number): boolean {
  if (end === start || !isMixed(text.slice(start, end))) return false
  const isWholeLine = text[start - 1] !== ' ' && /[\r\n"'`<>)\]]/.test(text[end] ?? '\n')
  return isWholeLine || text[end - 1] === '='
}

/** Whether a text has capital and small letters and digits, as base64 has, but not words or DNA. */
export function isMixed(text: string): boolean {
  return /[A-Z]/.test(text) && /[a-z]/.test(text) && /[0-9]/.test(text)
}

/** Counts the characters of a line break, as mail, YAML, CSS and HTML write it. */
function countGapChars(text: string, at: number): number {
  gapPattern.lastIndex = at
  return gapPattern.exec(text)?.[0].length ?? 0
}

const gapPattern = /\\?\r?\n[ \t>]{0,40}| {1,4}/y

function findRunEnd(text: string, start: number): number {
  let at = start
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === backslash ? !'nr/u'.includes(text[at + 1] ?? ' ') : !isBase64Code[code]) break
  }
  while (text[at] === '=') at++
  return at
}

const backslash = 0x5c
const isRunCode = listCodes(/[A-Za-z0-9+/_-]/)
const isBase64Code = listCodes(/[A-Za-z0-9+/_%-]/)

/** Returns for each ASCII code whether its character matches. */
function listCodes(pattern: RegExp): readonly boolean[] {
  return Array.from({ length: 128 }, (_, code) => pattern.test(String.fromCharCode(code)))
}
