/**
 * Parses JSON in which numbers may be `NaN`, `Infinity` or `-Infinity`, as Python writes them. They become
 * `null`. @throws SyntaxError
 */
export function parseLenientJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error
    return JSON.parse(replaceSpecialNumbers(text))
  }
}

/** Replaces them outside strings. */
function replaceSpecialNumbers(text: string): string {
  const parts: string[] = []
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at)
    const outsideEnd = quote === -1 ? text.length : quote
    parts.push(text.slice(at, outsideEnd).replace(/(?<!\w)-?(?:NaN|Infinity)(?!\w)/g, 'null'))
    const stringEnd = findStringEnd(text, outsideEnd)
    parts.push(text.slice(outsideEnd, stringEnd))
    at = stringEnd
  }
  return parts.join('')
}

/** Returns the index after the string that begins here. */
function findStringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end + 1
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text[before] === '\\') before--
  return (at - 1 - before) % 2 === 1
}
