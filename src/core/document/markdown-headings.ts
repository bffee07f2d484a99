import { truncate } from '../text/truncate.ts'
import { createMarkList, type Mark, type MarkList } from './mark.ts'

/** Maximum characters of a heading in a mark. */
const maxHeadingChars = 200

/** Returns the headings and lines of a Markdown file; undefined for other text, which has only lines. */
export function findLineMarks(path: string, text: string): readonly Mark[] | undefined {
  if (!/\.(?:md|markdown|mdx)$/i.test(path)) return undefined
  const headings = findMarkdownHeadings(text)
  return headings.length === 0 ? undefined : [{ offset: 0, kind: 'line', label: '1' }, ...headings]
}

/**
 * Returns the headings of a Markdown text, in both notations (`## Methods`, and a line that is underlined
 * with `=` or `-`). Code blocks and front matter have none.
 */
export function findMarkdownHeadings(text: string): readonly Mark[] {
  const headings = createMarkList()
  let fence = ''
  /** Where the paragraph line before this one begins. */
  let previous: number | undefined
  const bodyAt = /^---[ \t]*\r?\n/.test(text) ? findFrontMatterEnd(text) : 0
  for (let at = bodyAt; at < text.length; ) {
    const end = text.indexOf('\n', at)
    const line = text.slice(at, end === -1 ? undefined : end).trimEnd()
    const [, mark = ''] = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line) ?? []
    const isUnderline = previous !== undefined && /^ {0,3}(?:=+|-{2,})$/.test(line)
    if (fence !== '') {
      if (mark.startsWith(fence) && line.trim() === mark) fence = ''
      previous = undefined
    } else if (mark !== '') {
      fence = mark
      previous = undefined
    } else if (/^ {0,3}#{1,6}(?:[ \t]|$)/.test(line)) {
      addHeading(headings, text, at)
      previous = undefined
    } else if (isUnderline && previous !== undefined) {
      addHeading(headings, text, previous)
      previous = undefined
    } else previous = isParagraphLine(line) ? at : undefined
    if (end === -1) break
    at = end + 1
  }
  return headings.toMarks()
}

/** Adds the mark of a heading, if it has a text. */
function addHeading(headings: MarkList, text: string, offset: number): void {
  const label = readHeadingLabel(text, offset)
  if (label !== '') headings.add({ offset, kind: 'heading', label })
}

/** Returns the text of the heading that begins at an offset, without its `#` characters. */
export function readHeadingLabel(text: string, offset: number): string {
  const [line = ''] = truncate(text.slice(offset, offset + maxHeadingChars + 20), maxHeadingChars + 10).split(
    '\n',
    1,
  )
  const words = line
    .trim()
    .replace(/^#{1,6}(?=\s|$)/, '')
    .replace(/(?:^|\s)#+$/, '')
  return truncate(words.trim(), maxHeadingChars)
}

/** Whether a line can be a heading if the next line underlines it: not blank, a list, a quote or a table. */
function isParagraphLine(line: string): boolean {
  return /^ {0,3}[^\s>|*+-]/.test(line) && !line.includes('|')
}

/** Returns where the text after the front matter begins; 0 if it does not end. */
function findFrontMatterEnd(text: string): number {
  const end = /\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/.exec(text)
  return end === null ? 0 : end.index + end[0].length
}
