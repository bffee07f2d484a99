import { printable } from '../core/printable.ts'

/** A table of cells that are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`
}

/** Text of several lines, as a quotation: no heading, image or markup of its own becomes part of the page. */
export function quoted(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `> ${withoutHtml(printable(line, '\t')).replace(/!(?=\[)/g, '\\!')}`)
    .join('\n')
}

/** Text within a line, without markup of its own. */
export function inline(text: string): string {
  return withoutHtml(printable(text)).replace(/[\\`*_~[\]]/g, '\\$&')
}

/** A name within a line, letter by letter: no part of it is a link either, or mentions somebody. */
export function code(name: string): string {
  const text = printable(name)
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  const space = /^[ `]|[ `]$|^$/.test(text) ? ' ' : ''
  return `${fence}${space}${text}${space}${fence}`
}

function withoutHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
