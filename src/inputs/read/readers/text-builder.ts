import { checkTextLength } from './reader-limits.ts'

/** Text as it is put together: words run on, and breaks never pile up. */
export interface TextBuilder {
  /** Words of a paragraph; white space of any kind counts as one space. */
  addWords(text: string): void
  /** Text whose white space means something. */
  addVerbatim(text: string): void
  /** What stands before a text on its line, such as `- ` or `## `: a break right after it is none. */
  addMark(text: string): void
  /** What follows is in the next cell of a row. */
  startCell(): void
  /** What follows is in another row; cells at the end of one that hold nothing are not shown. */
  startRow(): void
  /** What follows begins on a new line, after `lines - 1` empty ones. */
  addBreak(lines: number): void
  /** Characters that are neither white space at an edge nor a mark, so far. */
  size(): number
  toText(): string
}

/** Collects the text of a document. @throws UnreadableError, while it is added to, for more than any model can read */
export function createTextBuilder(): TextBuilder {
  const parts: string[] = []
  let [length, size, breaks, cells] = [0, 0, 0, 0]
  let [hasPendingSpace, isAfterMark, endsWithSpace] = [false, false, true]
  const add = (text: string) => {
    const gap =
      cells > 0
        ? ' | '.repeat(cells)
        : breaks > 0
          ? '\n'.repeat(breaks)
          : hasPendingSpace && !endsWithSpace && !isAfterMark
            ? ' '
            : ''
    const whole = parts.length === 0 ? text : gap + text
    parts.push(whole)
    length += whole.length
    checkTextLength(length)
    endsWithSpace = /\s$/.test(text)
    breaks = 0
    cells = 0
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
      // One that nothing followed has its line for itself.
      if (isAfterMark) breaks = 1
      add(text)
      isAfterMark = true
    },
    startCell() {
      cells++
    },
    startRow() {
      cells = 0
      breaks = Math.max(breaks, 1)
    },
    addBreak(lines) {
      if (!isAfterMark && cells === 0) breaks = Math.max(breaks, lines)
    },
    size: () => size,
    toText: () => parts.join(''),
  }
}
