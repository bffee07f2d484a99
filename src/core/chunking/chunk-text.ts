/**
 * Splits a text into chunks of at most `maxChars` characters, at boundaries of the text. It prefers chapters
 * and headings, then paragraphs, speakers, rows, sentences and words. A word is split only if it is too long
 * itself. Joined in order, the chunks are the text.
 *
 * If several boundaries are equally good, a hash of the following text decides, not their position. So after
 * an edit, the chunks after it keep their boundaries and their text. (This is content-defined chunking:
 * Muthitacharoen, Chen, Mazières, "A Low-bandwidth Network File System", SOSP 2001.)
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

/** Boundaries, the strongest first. Each pattern matches the text in front of a boundary. */
const boundaries: readonly RegExp[] = [
  /\n(?=# |(?:chapter|part|book) (?:\d|[ivxlc]+\b))/gi,
  /\n(?=## |[^\n]{1,200}\n===)/g,
  /\n(?=#{3,6} |[^\n]{1,200}\n---)/g,
  // Paragraphs.
  /\n[ \t\r]*\n(?=[^\s])/g,
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
 * Returns where to split: after half of the limit if there is a boundary, to keep the number of chunks low.
 * @param window one character longer than a chunk may be
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
  // Never inside a surrogate pair.
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

/** Returns a hash (FNV-1a) of the text after a boundary, which does not depend on its position. */
function hashFollowingText(window: string, at: number): number {
  let hash = 0x811c9dc5
  for (let n = at; n < Math.min(window.length, at + 64); n++)
    hash = Math.imul(hash ^ window.charCodeAt(n), 0x01000193) >>> 0
  return hash
}
