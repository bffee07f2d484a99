import { joinMarked, type MarkedText } from '../../../../core/document/mark.ts'
import { checkTextLength } from '../reader-limits.ts'

/** The stories of a document. */
interface Stories {
  readonly headers: readonly string[]
  readonly body: MarkedText
  readonly notes: string
  readonly footers: readonly string[]
}

/**
 * Returns the text of a document: its headers, body, notes and footers. Each line of the headers and footers is
 * shown once, and page numbers are left out.
 * @throws UnreadableError for more text than any model can read
 */
export function joinStories({ headers, body, notes, footers }: Stories): MarkedText {
  const pieces = [{ text: joinEdges(headers) }, body, { text: notes }, { text: joinEdges(footers) }]
  const marked = joinMarked(
    pieces.filter(({ text }) => text.trim() !== ''),
    '\n\n',
  )
  checkTextLength(marked.text.length)
  return marked
}

function joinEdges(texts: readonly string[]): string {
  const lines = new Set<string>()
  for (const text of texts) for (const line of text.split('\n')) if (!isPageNumber(line)) lines.add(line)
  return [...lines].join('\n')
}

/** Whether a line of a header is empty, or a page number such as `- 3 -`. */
function isPageNumber(line: string): boolean {
  return line.trim().length < 8 && !/\p{L}/u.test(line)
}
