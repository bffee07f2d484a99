import { printable } from '../core/text/escape-control.ts'

/**
 * Rows as a table of text, a line each.
 * @param words so many columns begin on the left, as words do; the others end on the right, as numbers do
 */
export function textTable(rows: readonly (readonly string[])[], words = Number.POSITIVE_INFINITY): string {
  const safe = rows.map((row) => row.map((cell) => printable(cell)))
  const columns = Math.max(...safe.map(({ length }) => length))
  const widths = Array.from({ length: columns }, (_, n) =>
    Math.max(...safe.map((row) => row[n]?.length ?? 0)),
  )
  const aligned = (cell: string, n: number) =>
    n < words ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)
  return safe.map((row) => `${row.map(aligned).join('  ').trimEnd()}\n`).join('')
}
