import { toSingleLine } from '../text/to-single-line.ts'
import { truncate } from '../text/truncate.ts'
import type { Document } from './document.ts'
import { isOuterMark, type Mark } from './mark.ts'

/**
 * Returns where a character of a document's text is in the document, in words: `page 3`, `sheet Budget, row
 * 12`, `chapter 2 › Methods`, `section Methods, line 40`. Returns undefined if nothing is known about the
 * place, such as before the first heading of a Word document. Names come from the document, so each is one short line.
 * @param offset index in the text
 */
export function locate(
  { text, marks = wholeLines }: Pick<Document, 'text' | 'marks'>,
  offset: number,
): string | undefined {
  const last = findLastMark(marks, offset)
  const outerIndex = findBackwards(marks, last, isOuterMark)
  const outer = marks[outerIndex]
  const findInner = (kind: Mark['kind']) =>
    marks[findBackwards(marks, last, (mark) => mark.kind === kind, outerIndex)]
  const [heading, row, lines] = [findInner('heading'), findInner('row'), findInner('line')]
  const section =
    outer === undefined
      ? heading && `section ${formatLabel(heading)}`
      : `${outer.kind} ${formatLabel(outer)}${heading === undefined ? '' : ` › ${formatLabel(heading)}`}`
  const line = lines && `line ${Number(lines.label) + countLineBreaks(text, lines.offset, offset)}`
  const parts = [section, row && `row ${formatLabel(row)}`, line].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(', ')
}

function formatLabel({ label }: Mark): string {
  return truncate(toSingleLine(label), maxLabelChars)
}

/** Longer names of sheets or headings are cut off: characters. */
const maxLabelChars = 200

/** The marks of a text whose lines are those of the file. */
const wholeLines: readonly Mark[] = [{ offset: 0, kind: 'line', label: '1' }]

/** Returns the index of the last mark at or before an offset, or -1. */
function findLastMark(marks: readonly Mark[], offset: number): number {
  let [low, high] = [0, marks.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((marks[middle]?.offset ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Returns the index of the nearest matching mark, from `from` down to but not including `end`, or -1. */
function findBackwards(
  marks: readonly Mark[],
  from: number,
  matches: (mark: Mark) => boolean,
  end = -1,
): number {
  for (let index = from; index > end; index--) {
    const mark = marks[index]
    if (mark !== undefined && matches(mark)) return index
  }
  return -1
}

function countLineBreaks(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count++
  return count
}
