export interface WildmatchOptions {
  /** `*`, `?` and `[…]` do not match a slash, and `**` between slashes matches folders. */
  readonly pathname?: boolean
  /** ASCII letters match in either case. */
  readonly ignoreCase?: boolean
}

/**
 * Whether a text matches a pattern, with all special cases of git's `wildmatch.c`. Git compares bytes: for
 * the same results with names outside ASCII, pass both texts with one character per byte. Positions that
 * cannot match are memoized, so the time is at most the product of both lengths.
 */
export function wildmatch(pattern: string, text: string, options: WildmatchOptions = {}): boolean {
  return createMatcher(pattern, text, options)(0, 0)
}

type MatchFrom = (p: number, t: number) => boolean

function createMatcher(
  pattern: string,
  text: string,
  { pathname = false, ignoreCase = false }: WildmatchOptions,
): MatchFrom {
  /**
   * Positions where a run of stars cannot match; one entry for each pair of positions in pattern and text.
   */
  let failedPlaces: Uint8Array | undefined
  const isMemoized = pattern.indexOf('*') !== pattern.lastIndexOf('*')

  const matchFrom: MatchFrom = (start, from) => {
    let [p, t] = [start, from]
    for (; p < pattern.length; p++, t++) {
      const wanted = pattern[p] as string
      if (wanted === '*') return matchStars(p, t)
      if (t === text.length) return false
      const given = toLowerAscii(text[t] as string, ignoreCase)
      if (wanted === '?') {
        if (pathname && given === '/') return false
      } else if (wanted === '[') {
        const end = matchClass(pattern, p, given, ignoreCase)
        if (end === undefined || (pathname && given === '/')) return false
        p = end
      } else if (wanted === '\\') {
        if (pattern[++p] !== given) return false
      } else if (toLowerAscii(wanted, ignoreCase) !== given) return false
    }
    return t === text.length
  }

  const matchStars: MatchFrom = (p, t) => {
    let end = p
    while (pattern[end] === '*') end++
    const next = pattern[end]
    const fillsSegment =
      end - p > 1 &&
      (p === 0 || pattern[p - 1] === '/') &&
      (next === undefined || next === '/' || pattern.startsWith('\\/', end))
    const crossesSlashes = !pathname || fillsSegment
    if (next === undefined) return crossesSlashes || !text.includes('/', t)
    for (let at = t; at < text.length; at++) {
      if (isMemoized) {
        const place = p * text.length + at
        failedPlaces ??= new Uint8Array(pattern.length * text.length)
        if (failedPlaces[place] === 1) return false
        failedPlaces[place] = 1
      }
      // `**/` also matches no folder at all.
      if (pathname && fillsSegment && next === '/' && at === t && matchFrom(end + 1, at)) return true
      if (matchFrom(end, at)) return true
      if (!crossesSlashes && text[at] === '/') return false
    }
    return false
  }
  return matchFrom
}

function toLowerAscii(character: string, ignoreCase: boolean): string {
  return ignoreCase && character >= 'A' && character <= 'Z' ? character.toLowerCase() : character
}

/**
 * Matches one character against the bracket expression that begins at `start`. As in git, letters in the
 * expression are not converted to lower case.
 * @returns the index of the closing bracket; undefined if the character is not in the expression, or if the
 *   expression is malformed
 */
function matchClass(pattern: string, start: number, given: string, ignoreCase: boolean): number | undefined {
  let p = start + 1
  const negated = pattern[p] === '!' || pattern[p] === '^'
  if (negated) p++
  let matched = false
  let previous = ''
  // A closing bracket in first position is a member.
  for (let first = true; first || pattern[p] !== ']'; first = false, p++) {
    let member = pattern[p]
    if (member === undefined) return undefined
    const next = pattern[p + 1]
    if (member === '-' && previous !== '' && next !== undefined && next !== ']') {
      member = pattern[++p]
      if (member === '\\') member = pattern[++p]
      if (member === undefined) return undefined
      matched ||= isBetween(previous, given, member, ignoreCase)
      previous = ''
    } else if (member === '[' && next === ':') {
      const end = pattern.indexOf(']', p + 2)
      if (end === -1) return undefined
      if (end > p + 2 && pattern[end - 1] === ':') {
        const isMember = characterClasses[pattern.slice(p + 2, end - 1)]
        if (isMember === undefined) return undefined
        matched ||= isMember(given) || (ignoreCase && isMember(given.toUpperCase()))
        p = end
        previous = ''
      } else {
        matched ||= given === '['
        previous = '['
      }
    } else {
      if (member === '\\') member = pattern[++p]
      if (member === undefined) return undefined
      matched ||= given === member
      previous = member
    }
  }
  return matched === negated ? undefined : p
}

function isBetween(least: string, given: string, most: string, ignoreCase: boolean): boolean {
  if (given >= least && given <= most) return true
  if (!ignoreCase || given < 'a' || given > 'z') return false
  const upper = given.toUpperCase()
  return upper >= least && upper <= most
}

const createClassTest = (characters: RegExp) => (character: string) => characters.test(character)

/** The ASCII character classes of git. */
const characterClasses: Readonly<Record<string, (character: string) => boolean>> = {
  __proto__: null as never,
  alnum: createClassTest(/^[a-z\d]$/i),
  alpha: createClassTest(/^[a-z]$/i),
  blank: createClassTest(/^[ \t]$/),
  cntrl: createClassTest(/^[\0-\x1f\x7f]$/),
  digit: createClassTest(/^\d$/),
  graph: createClassTest(/^[!-~]$/),
  lower: createClassTest(/^[a-z]$/),
  print: createClassTest(/^[ -~]$/),
  punct: createClassTest(/^[!-/:-@[-`{-~]$/),
  space: createClassTest(/^[ \t\n\r]$/),
  upper: createClassTest(/^[A-Z]$/),
  xdigit: createClassTest(/^[\da-f]$/i),
}
