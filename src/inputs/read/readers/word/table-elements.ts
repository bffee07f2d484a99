import type { StoryElements } from './story-element.ts'
import type { Frame } from './word-frame.ts'

/**
 * The elements that are tables. A cell starts after its properties, which say how many columns it covers. A cell that
 * continues the one above it (`w:vMerge`) is empty.
 */
export const tableElements: StoryElements = [
  [
    'w:tbl',
    {
      open({ frame }) {
        startPendingCell(frame)
        frame.text.addBreak(frame.rows.length > 0 ? 1 : 2)
        frame.text.startTable()
      },
      close({ frame }) {
        frame.text.endTable()
        frame.text.addBreak(frame.rows.length > 0 ? 1 : 2)
        frame.isAfterListItem = false
      },
    },
  ],
  [
    'w:tr',
    {
      open({ frame, depth }) {
        frame.rows.push({ depth, pendingColumns: 0, inProperties: false })
        frame.text.startRow()
      },
      close({ frame }) {
        frame.rows.pop()
        frame.text.endRow()
      },
    },
  ],
  [
    'w:gridBefore',
    {
      open({ frame }, { 'w:val': value }) {
        const columns = parseColumns(value)
        if (columns === 0 || frame.rows.length === 0) return
        frame.text.startCell({ columns })
        frame.text.endCell()
      },
    },
  ],
  [
    'w:tc',
    {
      open({ frame }) {
        const row = frame.rows.at(-1)
        if (row !== undefined) row.pendingColumns = 1
      },
      close({ frame }) {
        if (frame.rows.length === 0) return
        startPendingCell(frame)
        frame.text.endCell()
      },
    },
  ],
  [
    'w:gridSpan',
    {
      open({ frame }, { 'w:val': value }) {
        const row = frame.rows.at(-1)
        if (row !== undefined && row.pendingColumns > 0) row.pendingColumns = Math.max(1, parseColumns(value))
      },
    },
  ],
]

/** Starts the cell whose properties are complete, if there is one. Must be called before content of a cell. */
export function startPendingCell({ rows, text }: Frame): void {
  const row = rows.at(-1)
  if (row === undefined || row.pendingColumns === 0) return
  text.startCell({ columns: row.pendingColumns })
  row.pendingColumns = 0
}

/** Maximum columns of a table in Word. */
const maxColumns = 63

function parseColumns(value: string | undefined): number {
  const columns = Number(value)
  return columns > 0 ? Math.min(maxColumns, Math.floor(columns)) : 0
}
