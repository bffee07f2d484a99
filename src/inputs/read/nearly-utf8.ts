import { windows1252Char } from './windows-1252.ts'

export interface NearlyUtf8 {
  readonly text: string
  /** Number of bytes that are not UTF-8. They are decoded as windows-1252. */
  readonly invalidBytes: number
}

/**
 * Returns the text of bytes that are UTF-8 but for a few, such as a page with a fragment in another encoding
 * or a text that was cut inside a character; undefined if they are in another encoding. Text in another
 * encoding has at most one valid UTF-8 character for each invalid byte, except by chance in a few words.
 *
 * @param isDeclared whether the document says that it is UTF-8, so that less evidence is enough
 */
export function decodeNearlyUtf8(bytes: Buffer, isDeclared: boolean): NearlyUtf8 | undefined {
  let [validChars, invalidBytes] = [0, 0]
  forEachNonAscii(bytes, (_at, length) => {
    if (length === 0) invalidBytes++
    else validChars++
  })
  const isNearlyUtf8 = isDeclared
    ? validChars > 0 && validChars >= invalidBytes
    : validChars >= 4 && validChars >= 2 * invalidBytes
  return isNearlyUtf8 ? { text: decode(bytes), invalidBytes } : undefined
}

/** Decodes the valid bytes as UTF-8 and the others as windows-1252. */
function decode(bytes: Buffer): string {
  const parts: string[] = []
  let validFrom = 0
  forEachNonAscii(bytes, (at, length) => {
    if (length > 0) return
    if (at > validFrom) parts.push(bytes.toString('utf8', validFrom, at))
    parts.push(windows1252Char(bytes[at] as number))
    validFrom = at + 1
  })
  parts.push(bytes.toString('utf8', validFrom))
  return parts.join('').replace(/^\ufeff/, '')
}

/** Calls back with each character that is not ASCII: its first byte and its length; or 0 for an invalid byte. */
function forEachNonAscii(bytes: Buffer, onChar: (at: number, length: number) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number
    if (first < 0x80) {
      at++
      continue
    }
    const length = measureChar(bytes, at, first)
    onChar(at, length)
    at += length || 1
  }
}

/** Returns the length of the UTF-8 character that begins with the byte; 0 if it is not valid. */
function measureChar(bytes: Buffer, at: number, first: number): number {
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  for (let n = 1; n < length; n++) if (((bytes[at + n] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1] ?? 0
  // Longer forms of short characters, surrogates, and code points beyond U+10FFFF.
  const isForbidden =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f)
  return isForbidden ? 0 : length
}
