/**
 * Returns a JSON text on one line, without the white space between its tokens. All tokens are unchanged: the
 * digits of numbers, the escapes in strings, the order of keys and duplicate keys. `JSON.parse` and
 * `JSON.stringify` would change them. Reads the text once and without recursion, so length and depth are not
 * limited.
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
 * Returns a JSON text with an escape for every lone surrogate (half a pair). A lone surrogate has no encoding
 * in UTF-8 and would become U+FFFD.
 * @param json a valid JSON text
 */
export function escapeLoneSurrogates(json: string): string {
  return json.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
}

/** Whether a text is JSON and nothing else: no byte-order mark, no Markdown code block around it. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Returns the index after the string that starts at `open`, a quotation mark; the length if it does not end. */
export function findStringEnd(json: string, open: number): number {
  for (let at = open + 1; at < json.length; at++) {
    const character = json[at]
    if (character === '\\') at++
    else if (character === '"') return at + 1
  }
  return json.length
}
