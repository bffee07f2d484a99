/**
 * Returns a part of a Word document with empty cells where a row skips columns at its beginning, which mammoth
 * ignores. The cells of such a row would otherwise be under the wrong headings.
 */
export function fillSkippedCells(xml: string): string {
  const parts: string[] = []
  let done = 0
  for (const match of xml.matchAll(gridBefore)) {
    const [tag, prefix = ''] = match
    const columns = Math.min(maxColumns, Number(/\bval\s*=\s*["'](\d{1,4})["']/.exec(tag)?.[1] ?? 0))
    const endTag = `</${prefix}trPr>`
    // Searches only a little further, so that the time for many such tags is limited.
    const end = xml.slice(match.index, match.index + maxPropertyChars).indexOf(endTag)
    if (end === -1) continue
    const at = match.index + end + endTag.length
    if (at < done) continue
    parts.push(xml.slice(done, at), `<${prefix}tc><${prefix}p/></${prefix}tc>`.repeat(columns))
    done = at
  }
  return done === 0 ? xml : parts.join('') + xml.slice(done)
}

/** The number of columns that a row skips: `<w:gridBefore w:val="2"/>`. */
const gridBefore = /<(\w{1,20}:)?gridBefore\s[^<>]{1,200}>/g

/** Maximum columns of a table in Word. */
const maxColumns = 63

/** Maximum characters of the properties of a row after the skipped columns. */
const maxPropertyChars = 2000
