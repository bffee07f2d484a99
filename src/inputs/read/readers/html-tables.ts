import type { TextBuilder } from './text-builder.ts'

/** Reports the beginning of a tag of a table to a text builder; ignores other tags. */
export function openTableTag(
  to: TextBuilder,
  name: string,
  { colspan, rowspan }: Readonly<Record<string, string>>,
): void {
  if (name === 'table') to.startTable()
  if (rowGroups.has(name)) to.startRowGroup()
  if (name === 'tr') to.startRow()
  if (name === 'td' || name === 'th') to.startCell({ columns: parseSpan(colspan), rows: parseSpan(rowspan) })
}

/** Reports the end of a tag of a table to a text builder; ignores other tags. */
export function closeTableTag(to: TextBuilder, name: string): void {
  if (name === 'table') to.endTable()
  if (name === 'tr') to.endRow()
  if (name === 'td' || name === 'th') to.endCell()
}

const rowGroups: ReadonlySet<string> = new Set(['thead', 'tbody', 'tfoot'])

/** Returns the number that the browsers read: 0 for `0`, 1 for an attribute without a number. */
function parseSpan(value = ''): number {
  const number = Number.parseInt(value, 10)
  return number >= 0 ? number : 1
}
