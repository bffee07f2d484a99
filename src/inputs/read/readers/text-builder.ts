import { checkTextLength } from './reader-limits.ts'

/** Builds a text: words are joined by single spaces, and line breaks do not accumulate. */
export interface TextBuilder {
  /** Adds words of a paragraph; white space of any kind counts as one space. */
  addWords(text: string): void
  /** Adds text with its white space. */
  addVerbatim(text: string): void
  /** Adds a mark at the start of a line, such as `- ` or `## `; a break directly after it is ignored. */
  addMark(text: string): void
  /** Starts the next cell of a row. */
  startCell(): void
  /** Starts another row; empty cells at the end of a row are not shown. */
  startRow(): void
  /** Starts a new line, after `lines - 1` empty ones. */
  addBreak(lines: number): void
  /**
   * Returns the number of characters so far, without marks and without white space at the edges of additions.
   */
  size(): number
  toText(): string
}

/**
 * Returns a builder for the text of a document.
 * @throws UnreadableError, when text is added, for more than any model can read
 */
export function createTextBuilder(): TextBuilder {
  const parts: string[] = []
  let [length, size, breaks, cells] = [0, 0, 0, 0]
  let [hasPendingSpace, isAfterMark, endsWithSpace, isRowStart] = [false, false, true, false]
  const add = (text: string) => {
    const gap =
      cells > 0
        ? (isRowStart ? '\n'.repeat(breaks) : '') + ' | '.repeat(cells)
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
    isRowStart = false
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
      add(text)
      isAfterMark = true
    },
    startCell() {
      cells++
    },
    startRow() {
      cells = 0
      isRowStart = true
      breaks = Math.max(breaks, 1)
    },
    addBreak(lines) {
      if (!isAfterMark && cells === 0) breaks = Math.max(breaks, lines)
    },
    size: () => size,
    toText: () => parts.join(''),
  }
}
