/** Returns the names of the fonts of a file in their order. @param part of the file with the fonts */
export function readFontNames(part: Buffer): readonly string[] {
  const names: string[] = []
  let at = 4
  while (at < part.length) {
    const end = at + 1 + (part[at] ?? 0)
    const name = part.toString('utf16le', Math.min(at + nameAt, end), end)
    names.push(name.split('\0', 1)[0] ?? '')
    at = end
  }
  return names
}

/** Where the name begins in the description of a font, in bytes. */
const nameAt = 40
