/**
 * Splits a text into chunks of at most `maxChars` characters, at its own boundaries: before chapters and headings where
 * there are any, otherwise between paragraphs, speakers, rows, sentences or words. A word is split only if it is too long
 * itself. The chunks in order are the text.
 *
 * Where several boundaries are equally good, a hash of the following text decides, not their place. So after an edit, the
 * chunks behind it begin where they began, and stay the same. (This is content-defined chunking: Muthitacharoen, Chen,
 * Mazières, "A Low-bandwidth Network File System", SOSP 2001.)
 *
 * @param maxChars characters (UTF-16), at least 2
 */
export function chunkText(text: string, maxChars: number): string[] {
  const chunks: string[] = []
  let start = 0
  while (text.length - start > maxChars) {
    const end = start + findBestBoundary(text.slice(start, start + maxChars + 1), maxChars)
    chunks.push(text.slice(start, end))
    start = end
  }
  chunks.push(text.slice(start))
  return chunks
}

/** The strongest first; each matches what precedes a boundary. */
const boundaries: readonly RegExp[] = [
  /\n(?=# |(?:chapter|part|book) (?:\d|[ivxlc]+\b))/gi,
  /\n(?=## |[^\n]{1,200}\n===)/g,
  /\n(?=#{3,6} |[^\n]{1,200}\n---)/g,
  // Paragraphs.
  /\n[ \t]*\n(?=[^\s])/g,
  // Speakers: `Anna Lind: `.
  /\n(?=\p{Lu}[\p{L}.' -]{0,40}: )/gu,
  // Rows and lines.
  /\n/g,
  // Sentences.
  /[.!?]["'”’)\]]* +(?=\S)|[。！？]/g,
  // Words.
  /\s(?=\S)/g,
]

/**
 * Where to split: after half the limit if there is a boundary, to keep the number of chunks low.
 * @param window one character longer than a part may be
 */
function findBestBoundary(window: string, maxChars: number): number {
  const preferredMinChars = Math.ceil(maxChars / 2)
  for (const minChars of [preferredMinChars, 1]) {
    for (const boundary of boundaries) {
      const found = findBoundaryEnds(window, boundary, minChars, maxChars)
      if (found.length > 0)
        return found.reduce((best, at) =>
          hashFollowingText(window, at) < hashFollowingText(window, best) ? at : best,
        )
    }
  }
  // Never between the halves of a character.
  return /[\ud800-\udbff]/.test(window[maxChars - 1] ?? '') ? Math.max(1, maxChars - 1) : maxChars
}

function findBoundaryEnds(window: string, boundary: RegExp, minChars: number, maxChars: number): number[] {
  const found: number[] = []
  boundary.lastIndex = Math.max(0, minChars - 1)
  for (let match = boundary.exec(window); match !== null; match = boundary.exec(window)) {
    const end = match.index + match[0].length
    if (end > maxChars) break
    if (end >= minChars) found.push(end)
  }
  return found
}

/** The same for the same words, wherever they stand (FNV-1a over what follows). */
function hashFollowingText(window: string, at: number): number {
  let hash = 0x811c9dc5
  for (let n = at; n < Math.min(window.length, at + 64); n++)
    hash = Math.imul(hash ^ window.charCodeAt(n), 0x01000193) >>> 0
  return hash
}
