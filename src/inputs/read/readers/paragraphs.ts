import { checkLength } from './limits.ts'

/** Text as it is put together: words run on, and breaks never pile up. */
export interface Paragraphs {
  /** Words of a paragraph; white space of any kind counts as one space. */
  words(text: string): void
  /** Text whose white space means something. */
  verbatim(text: string): void
  /** What stands before a text on its line, such as `- ` or `## `: a break right after it is none. */
  mark(text: string): void
  /** What follows is in the next cell of a row. */
  cell(): void
  /** What follows is in another row; cells at the end of one that hold nothing are not shown. */
  row(): void
  /** What follows begins on a new line, after `lines - 1` empty ones. */
  break(lines: number): void
  /** Characters that are neither white space at an edge nor a mark, so far. */
  size(): number
  text(): string
}

/** Collects the text of a document. @throws Unreadable, while it is added to, for more than any model can read */
export function paragraphs(): Paragraphs {
  const parts: string[] = []
  let [length, size, breaks, cells] = [0, 0, 0, 0]
  let [space, marked, edge] = [false, false, true]
  const add = (text: string) => {
    const gap =
      cells > 0
        ? ' | '.repeat(cells)
        : breaks > 0
          ? '\n'.repeat(breaks)
          : space && !edge && !marked
            ? ' '
            : ''
    const whole = parts.length === 0 ? text : gap + text
    parts.push(whole)
    length += whole.length
    checkLength(length)
    edge = /\s$/.test(text)
    breaks = 0
    cells = 0
    space = false
    marked = false
  }
  return {
    words(text) {
      const words = text.replace(/[ \t\r\n\f]+/g, ' ')
      const bare = words.replace(/^ | $/g, '')
      if (words.startsWith(' ')) space = true
      if (bare === '') return
      size += bare.length
      add(bare)
      space = words.endsWith(' ')
    },
    verbatim(text) {
      if (text === '') return
      size += text.trim().length
      add(text)
    },
    mark(text) {
      // One that nothing followed has its line for itself.
      if (marked) breaks = 1
      add(text)
      marked = true
    },
    cell() {
      cells++
    },
    row() {
      cells = 0
      breaks = Math.max(breaks, 1)
    },
    break(lines) {
      if (!marked && cells === 0) breaks = Math.max(breaks, lines)
    },
    size: () => size,
    text: () => parts.join(''),
  }
}
