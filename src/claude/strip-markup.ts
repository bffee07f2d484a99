/**
 * Returns the text of an HTML page: tags become spaces, scripts and styles are left out with what is in them. Takes
 * time in proportion to the length, whatever is never closed.
 */
export function stripMarkup(html: string): string {
  const parts: string[] = []
  let at = 0
  for (let open = html.indexOf('<'); open !== -1; open = html.indexOf('<', at)) {
    const close = html.indexOf('>', open)
    if (close === -1) break
    parts.push(html.slice(at, open))
    at = findElementEnd(html, open, close)
  }
  // Also a tag that is never closed: where a page broke off, or what was no tag.
  parts.push(html.slice(at))
  return parts.join(' ')
}

/** Where what begins with the tag at `open` ends: after its content if that is a script or a style. */
function findElementEnd(html: string, open: number, close: number): number {
  const name = /^<(script|style)\b/i.exec(html.slice(open, open + 10))?.[1]
  if (name === undefined) return close + 1
  const closing = new RegExp(`</${name}\\b`, 'gi')
  closing.lastIndex = close
  const start = closing.exec(html)?.index
  const end = start === undefined ? -1 : html.indexOf('>', start)
  return end === -1 ? html.length : end + 1
}
