/**
 * Cuts a text into parts of at most so many characters, at its own joints: before chapters and headings where there are
 * any, else between paragraphs, speakers, rows, sentences or words. A word is cut only where it alone is too long. The
 * parts in order are the text.
 *
 * Where several joints are as good, what follows them decides, not where they are: so that after an edit the parts
 * behind it begin where they began, and are the parts they were. (The idea is that of content-defined chunking:
 * Muthitacharoen, Chen, Mazières, "A Low-bandwidth Network File System", SOSP 2001.)
 *
 * @param limit characters (UTF-16), at least 2
 */
export function cutText(text: string, limit: number): string[] {
  const parts: string[] = []
  let start = 0
  while (text.length - start > limit) {
    const end = start + bestJoint(text.slice(start, start + limit + 1), limit)
    parts.push(text.slice(start, end))
    start = end
  }
  parts.push(text.slice(start))
  return parts
}

/** From the strongest on; each matches what stands before a joint. */
const joints: readonly RegExp[] = [
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
 * Where to cut: behind half the limit if there is any joint at all, so that parts do not get many.
 * @param window one character longer than a part may be
 */
function bestJoint(window: string, limit: number): number {
  const least = Math.ceil(limit / 2)
  for (const from of [least, 1]) {
    for (const joint of joints) {
      const found = ends(window, joint, from, limit)
      if (found.length > 0)
        return found.reduce((best, at) => (rank(window, at) < rank(window, best) ? at : best))
    }
  }
  // Never between the halves of a character.
  return /[\ud800-\udbff]/.test(window[limit - 1] ?? '') ? Math.max(1, limit - 1) : limit
}

function ends(window: string, joint: RegExp, from: number, to: number): number[] {
  const found: number[] = []
  joint.lastIndex = Math.max(0, from - 1)
  for (let match = joint.exec(window); match !== null; match = joint.exec(window)) {
    const end = match.index + match[0].length
    if (end > to) break
    if (end >= from) found.push(end)
  }
  return found
}

/** The same for the same words, wherever they stand (FNV-1a over what follows). */
function rank(window: string, at: number): number {
  let hash = 0x811c9dc5
  for (let n = at; n < Math.min(window.length, at + 64); n++)
    hash = Math.imul(hash ^ window.charCodeAt(n), 0x01000193) >>> 0
  return hash
}
