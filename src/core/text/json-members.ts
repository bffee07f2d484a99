import { findStringEnd, minifyJson } from './minify-json.ts'

/**
 * Returns the members of a JSON object, each value as JSON with its own tokens, so that no digit of a number
 * changes. Of duplicate names, the last one counts, as for `JSON.parse`. Returns undefined for another value.
 * @param json a valid JSON text
 */
export function readJsonMembers(json: string): ReadonlyMap<string, string> | undefined {
  const text = minifyJson(json)
  if (!text.startsWith('{')) return undefined
  const members = new Map<string, string>()
  for (let at = 1; text[at] === '"'; ) {
    const nameEnd = findStringEnd(text, at)
    const valueEnd = findValueEnd(text, nameEnd + 1)
    members.set(JSON.parse(text.slice(at, nameEnd)) as string, text.slice(nameEnd + 1, valueEnd))
    at = valueEnd + 1
  }
  return members
}

/** Returns the index after the value that starts at `at`: of the comma or brace that follows. */
function findValueEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = findStringEnd(text, at) - 1
    else if (character === '{' || character === '[') depth++
    else if (depth === 0 && (character === ',' || character === '}')) return at
    else if (character === '}' || character === ']') depth--
  }
  return text.length
}
