import { escapeControlChars } from '../core/text/escape-control-chars.ts'

/**
 * Returns a table of cells that are Markdown already. Viewers split cells before they parse code, so a `|` is
 * escaped in code too.
 */
export function renderMarkdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => text.replace(/\\[\s\S]|\|/g, (part) => (part === '|' ? '\\|' : part))
  const line = (row: readonly string[]) => `| ${row.map(cell).join(' | ')} |`
  return `${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`
}

/**
 * Returns text of several lines as a code block, which is the one form that no viewer reads for links,
 * pictures, headings or mentions. Long lines are broken at spaces, as viewers do not break lines of code.
 */
export function renderCodeBlock(text: string): string {
  const lines = escapeControlChars(text.replaceAll('\r\n', '\n').trimEnd(), '\n\t').split('\n')
  const fence = chooseFence(text)
  return `${fence}text\n${lines.map(wrapLine).join('\n')}\n${fence}`
}

/** Returns backticks that can begin and end a block of this code: more than it contains in a row. */
export function chooseFence(code: string): string {
  return '`'.repeat(Math.max(3, countLongestBacktickRun(code) + 1))
}

/**
 * Returns text within a line with its markup escaped. Words that viewers turn into links without any markup
 * (addresses, mentions of people and issues) become code.
 */
export function escapeMarkdown(text: string): string {
  return escapeControlChars(text.trim())
    .split(' ')
    .map((word, n) => (linkLike.test(word) ? renderInlineCode(word) : escapeWord(word, n === 0)))
    .join(' ')
}

const linkLike = /:\/\/|www\.|@[\w-]+\.|(?:^|[^\w`])@\w|#\d|\bGH-\d|(?:mailto|xmpp):|:[\w+-]+:/i

/** At the beginning of a line, a few more words are markup: they begin a list or underline a heading. */
function escapeWord(word: string, isFirst: boolean): string {
  const text = word
    .replace(/[\\`*_~[\]#>|]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
  return isFirst && /^([-+=]+|\d{1,9}[.)])$/.test(text) ? text.replace(/[-+=.)]/, '\\$&') : text
}

/** Returns a name as inline code, so that no part of it becomes a link or a mention. */
export function renderInlineCode(name: string): string {
  const text = escapeControlChars(name)
  const fence = '`'.repeat(countLongestBacktickRun(text) + 1)
  const space = /^[ `]|[ `]$|^$/.test(text) ? ' ' : ''
  return `${fence}${space}${text}${space}${fence}`
}

/** Returns the length of the longest run of backticks. */
function countLongestBacktickRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, { length }) => Math.max(longest, length), 0)
}

/** Characters. */
const maxLineWidth = 100

function wrapLine(line: string): string {
  let column = 0
  return line
    .split(' ')
    .map((word, n) => {
      const breaks = n > 0 && column + 1 + word.length > maxLineWidth
      column = breaks ? word.length : column + (n > 0 ? 1 : 0) + word.length
      return `${n === 0 ? '' : breaks ? '\n' : ' '}${word}`
    })
    .join('')
}
