/** Returns the character of a byte in windows-1252. @param byte from 0 to 255 */
export function windows1252Char(byte: number): string {
  return highControls[byte - 0x80] ?? String.fromCharCode(byte)
}

/**
 * Fixes text that Node 20 decoded as windows-1252: it takes that for ISO 8859-1, where quotation marks and
 * dashes are control characters.
 * @see https://github.com/nodejs/node/issues/56542
 */
export function fixWindows1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252Char(character.charCodeAt(0)))
}

/** The characters of the bytes from 0x80 to 0x9f. */
const highControls = [...'€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ']
