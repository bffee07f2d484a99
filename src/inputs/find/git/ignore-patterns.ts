import { wildmatch } from './wildmatch.ts'

/** One pattern of a `.gitignore` file. Its text has one character per byte, because git compares bytes. */
export interface IgnorePattern {
  /** Whether the pattern includes again what earlier patterns ignore. */
  readonly negated: boolean
  /** Whether the pattern ends with a slash, so that it matches only folders. */
  readonly foldersOnly: boolean
  /** Whether the pattern has no slash inside, so that it matches names at any depth. */
  readonly byName: boolean
  /** The pattern without `!`, and without a slash at either end. */
  readonly text: string
  /** Number of characters before the first one with a special meaning. */
  readonly literalLength: number
}

/** An entry of a folder, with one character per byte. */
export interface IgnoreCandidate {
  /** Path relative to the folder that the patterns belong to, with `/`. */
  readonly path: string
  readonly name: string
  readonly isFolder: boolean
}

/**
 * The maximum length of a pattern in bytes. No path is longer, so a longer pattern costs time and matches
 * nothing.
 */
const longestPattern = 4096

/**
 * Parses a `.gitignore` file as git does: comments, escapes, trailing spaces, CRLF, a byte-order mark.
 * @throws Error for a pattern of more than 4,096 bytes
 */
export function parseIgnoreFile(content: Buffer): IgnorePattern[] {
  const lines = content
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .split('\n')
  return lines.flatMap((line) => {
    if (line === '' || line.startsWith('#')) return []
    const [text = ''] = line.replace(/\r$/, '').split('\0')
    if (text.length > longestPattern) throw new Error('a pattern in it is longer than 4,096 bytes')
    return parsePattern(withoutTrailingSpaces(text))
  })
}

/** Removes trailing spaces; a backslash keeps the space after it. */
function withoutTrailingSpaces(text: string): string {
  const [kept = ''] = /^(?: *(?:\\.|[^ \\]|\\$))*/s.exec(text) ?? []
  return kept
}

function parsePattern(line: string): IgnorePattern {
  const negated = line.startsWith('!')
  const whole = negated ? line.slice(1) : line
  const foldersOnly = whole.endsWith('/')
  const text = foldersOnly ? whole.slice(0, -1) : whole
  const byName = !text.includes('/')
  // Several `**/` in a row match the same as one.
  const anchored = text.replace(/^\//, '').replace(/(^|\/)(?:\*{2,}\/)+/g, '$1**/')
  const special = anchored.search(/[*?[\\]/)
  return {
    negated,
    foldersOnly,
    byName,
    text: anchored,
    literalLength: special === -1 ? anchored.length : special,
  }
}

/**
 * Whether a pattern matches an entry itself. The caller checks whether a folder that contains the entry is
 * ignored.
 */
export function matchesIgnorePattern(
  { foldersOnly, byName, text, literalLength }: IgnorePattern,
  { path, name, isFolder }: IgnoreCandidate,
  ignoreCase: boolean,
): boolean {
  if (foldersOnly && !isFolder) return false
  const subject = byName ? name : path
  if (literalLength === text.length) return isSame(text, subject, ignoreCase)
  // git compares the text before the first wildcard separately, and a `**` directly after it counts as a
  // segment.
  if (!isSame(text.slice(0, literalLength), subject.slice(0, literalLength), ignoreCase)) return false
  if (byName) return wildmatch(text, name, { ignoreCase })
  return wildmatch(text.slice(literalLength), path.slice(literalLength), { ignoreCase, pathname: true })
}

function isSame(a: string, b: string, ignoreCase: boolean): boolean {
  return a === b || (ignoreCase && a.length === b.length && asciiLower(a) === asciiLower(b))
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
