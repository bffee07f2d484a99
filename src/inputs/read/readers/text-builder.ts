import {
  createMarkList,
  isOuterMark,
  type Mark,
  type MarkedText,
  type MarkKind,
} from '../../../core/document/mark.ts'
import { readHeadingLabel } from '../../../core/document/markdown-headings.ts'
import { checkTextLength } from './reader-limits.ts'
import type { CellPiece } from './table-cell.ts'
import { createTableWriter, type TableMethods } from './table-writer.ts'

/**
 * Builds a text: words are joined by single spaces, and line breaks do not accumulate. Each row of a table
 * becomes a line.
 */
export interface TextBuilder extends TableMethods {
  /** Adds words of a paragraph; white space of any kind counts as one space. */
  addWords(text: string): void
  /** Adds text with its white space. */
  addVerbatim(text: string): void
  /**
   * Adds a mark at the start of a line, such as `- ` or `## `; a break directly after it is ignored. One of
   * `#` characters is also the position of a heading.
   */
  addMark(text: string): void
  /**
   * Records that a part of the document begins with the next addition: a page, a slide, a row. A part without
   * text gets no mark.
   */
  markPosition(kind: MarkKind, label: string): void
  /** Starts a new line, after `lines - 1` empty ones. */
  addBreak(lines: number): void
  /**
   * Returns the number of characters so far, without marks and without white space at the edges of additions.
   */
  size(): number
  toText(): string
  /** Returns the text and the positions in it. */
  toMarkedText(): MarkedText
}

/**
 * Returns a builder for the text of a document.
 * @throws UnreadableError, when text is added, for more than any model can read
 */
export function createTextBuilder(): TextBuilder {
  const flow = createFlowBuilder()
  const { addToCell, ...table } = createTableWriter((piece) => addPiece(flow, piece))
  return {
    ...flow,
    ...table,
    addWords: (text) => addToCell(`w${text}`) || flow.addWords(text),
    addVerbatim: (text) => addToCell(`v${text}`) || flow.addVerbatim(text),
    addMark: (text) => addToCell(`m${text}`) || flow.addMark(text),
    addBreak: (lines) => addToCell(`b${lines}`) || flow.addBreak(lines),
  }
}

/** Adds a piece of a cell to the text outside of tables. */
function addPiece(flow: FlowBuilder, piece: CellPiece): void {
  if (typeof piece !== 'string') {
    flow.addBreak(1)
    // A row never continues the line of a mark, such as that of an empty heading.
    flow.addMark('')
    flow.addVerbatim(piece.line)
    flow.addBreak(1)
    return
  }
  const text = piece.slice(1)
  if (piece.startsWith('w')) flow.addWords(text)
  if (piece.startsWith('v')) flow.addVerbatim(text)
  if (piece.startsWith('m')) flow.addMark(text)
  if (piece.startsWith('b')) flow.addBreak(Number(text))
}

type FlowBuilder = Omit<TextBuilder, keyof TableMethods>

function createFlowBuilder(): FlowBuilder {
  const parts: string[] = []
  const marks = createMarkList()
  // The outer part and the part in it that begin with the next addition.
  let [pendingOuter, pendingInner]: (Omit<Mark, 'offset'> | undefined)[] = []
  let [length, size, breaks] = [0, 0, 0]
  let [hasPendingSpace, isAfterMark, endsWithSpace] = [false, false, true]
  const addMarks = (offset: number) => {
    if (pendingOuter !== undefined) marks.add({ offset, ...pendingOuter })
    if (pendingInner !== undefined) marks.add({ offset, ...pendingInner })
    pendingOuter = undefined
    pendingInner = undefined
  }
  const add = (text: string) => {
    const gap =
      breaks > 0 ? '\n'.repeat(breaks) : hasPendingSpace && !endsWithSpace && !isAfterMark ? ' ' : ''
    const whole = parts.length === 0 ? text : gap + text
    parts.push(whole)
    length += whole.length
    if (pendingOuter !== undefined || pendingInner !== undefined) addMarks(length - text.length)
    checkTextLength(length)
    endsWithSpace = /\s$/.test(text)
    breaks = 0
    hasPendingSpace = false
    isAfterMark = false
  }
  return {
    addWords(text) {
      const words = text.replace(/[ \t\r\n\f]+/g, ' ')
      const bare = words.replace(/^ | $/g, '')
      if (words.startsWith(' ')) hasPendingSpace = true
      if (bare === '') return
      size += bare.length
      add(bare)
      hasPendingSpace = words.endsWith(' ')
    },
    addVerbatim(text) {
      if (text === '') return
      size += text.trim().length
      add(text)
    },
    addMark(text) {
      // A mark without a text stays alone on its line.
      if (isAfterMark) breaks = 1
      // The headline of a slide or a sheet is already its position.
      if (/^#{1,6} /.test(text) && pendingOuter === undefined) pendingInner = headingMark
      add(text)
      isAfterMark = true
    },
    markPosition(kind, label) {
      if (isOuterMark({ kind })) {
        pendingOuter = { kind, label }
        pendingInner = undefined
      } else pendingInner = { kind, label }
    },
    addBreak(lines) {
      if (!isAfterMark) breaks = Math.max(breaks, lines)
    },
    size: () => size,
    toText: () => parts.join(''),
    toMarkedText() {
      const text = parts.join('')
      return { text, marks: labelHeadings(marks.toMarks(), text) }
    },
  }
}

/** A heading whose text is not known yet. */
const headingMark = { kind: 'heading', label: '' } as const

/** Returns the marks with the texts of headings, which are known only at the end; empty headings are left out. */
function labelHeadings(marks: readonly Mark[], text: string): readonly Mark[] {
  return marks.flatMap((mark) => {
    if (mark.kind !== 'heading') return [mark]
    const label = readHeadingLabel(text, mark.offset)
    return label === '' ? [] : [{ ...mark, label }]
  })
}
