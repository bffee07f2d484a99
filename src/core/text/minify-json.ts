/**
 * Returns a JSON text without the white space between its tokens, so on one line. Every token stays as it was written:
 * the digits of numbers, the escapes in strings, the order of keys and duplicate keys, all of which `JSON.parse` and
 * `JSON.stringify` would change. Reads the text once and without recursion, whatever its length and depth.
 * @param json a valid JSON text
 */
export function minifyJson(json: string): string {
  let minified = ''
  for (let from = 0; from < json.length; ) {
    const quote = json.indexOf('"', from)
    const open = quote === -1 ? json.length : quote
    const close = findStringEnd(json, open)
    minified += json.slice(from, open).replace(/[ \t\n\r]+/g, '') + json.slice(open, close)
    from = close
  }
  return escapeLoneSurrogates(minified)
}

/**
 * Returns a JSON text in which half a surrogate pair is written as an escape. It has no encoding in UTF-8, where it
 * would become U+FFFD.
 * @param json a valid JSON text
 */
export function escapeLoneSurrogates(json: string): string {
  return json.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
}

/** Whether a text is JSON and nothing else: no byte-order mark, no code fence around it. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The place behind a string that opens at `open`. */
function findStringEnd(json: string, open: number): number {
  for (let at = open + 1; at < json.length; at++) {
    const character = json[at]
    if (character === '\\') at++
    else if (character === '"') return at + 1
  }
  return json.length
}
