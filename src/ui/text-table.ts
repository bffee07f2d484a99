import { escapeControlChars } from '../core/text/escape-control-chars.ts'

/**
 * Rows as a table of text, a line each.
 * @param leftAlignedColumns so many columns begin on the left, as words do; the others end on the right, as numbers do
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
