import { escapeControlChars } from '../core/text/escape-control-chars.ts'

/**
 * Returns rows as a table of text, one line per row.
 * @param leftAlignedColumns number of leading columns that are aligned left, for words; the others are
 *   aligned right, for numbers
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  leftAlignedColumns = Number.POSITIVE_INFINITY,
): string {
  const safe = rows.map((row) => row.map((cell) => escapeControlChars(cell)))
  const columns = Math.max(...safe.map(({ length }) => length))
  const widths = Array.from({ length: columns }, (_, n) =>
    Math.max(...safe.map((row) => row[n]?.length ?? 0)),
  )
  const align = (cell: string, n: number) =>
    n < leftAlignedColumns ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)
  return safe.map((row) => `${row.map(align).join('  ').trimEnd()}\n`).join('')
}
