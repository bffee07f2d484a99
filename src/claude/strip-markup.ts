/**
 * Returns the text of an HTML page. Tags become spaces; scripts and styles are removed with their content.
 * Runs in linear time, even if tags are never closed.
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
  // The rest may include an unclosed tag: the page was truncated, or a `<` that begins no tag.
  parts.push(html.slice(at))
  return parts.join(' ')
}

/** Returns the end of the tag at `open`. For a script or a style, this is after its content. */
function findElementEnd(html: string, open: number, close: number): number {
  const name = /^<(script|style)\b/i.exec(html.slice(open, open + 10))?.[1]
  if (name === undefined) return close + 1
  const closing = new RegExp(`</${name}\\b`, 'gi')
  closing.lastIndex = close
  const start = closing.exec(html)?.index
  const end = start === undefined ? -1 : html.indexOf('>', start)
  return end === -1 ? html.length : end + 1
}
