/**
 * Returns untrusted text (file names, documents, messages of servers) that is safe to show on a terminal or
 * in a log. Control characters, line and paragraph separators, and marks that reorder or hide text become
 * `\x1b`-style escapes. Node's `stripVTControlCharacters` would keep carriage returns, escapes inside
 * strings, and all marks of Unicode.
 * @param keep characters to leave unchanged: `\n\t` for text of several lines
 */
export function escapeControlChars(text: string, keep = ''): string {
  return text.replace(unsafeChars, (character) =>
    keep.includes(character) ? character : escapeChar(character),
  )
}

// C0, DEL and C1; soft hyphen is harmless. Bidirectional marks (CVE-2021-42574), zero-width, separators,
// tags, BOM.
const unsafeChars =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

function escapeChar(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return `\\u{${code.toString(16)}}`
}
