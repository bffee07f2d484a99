import { type ExportedResult, toJsonlFields } from '../core/report/exported-result.ts'
import type { ExportFormat } from '../core/report/generated-marker.ts'
import { formatJsonlLine } from '../core/run/jsonl-line.ts'
import type { ExportHeader } from '../ui/export/result-facts.ts'

export interface ExportSource {
  readonly header: ExportHeader
  /** Reads the results. A format that must know all of them first calls it twice. */
  read(): AsyncIterable<ExportedResult>
  /** Called with the path of a document whose text is too long for a cell of a spreadsheet. */
  onLongCell(path: string): void
}

/** Generates an export in a format, in pieces that are worth a write. No more than a piece is in memory. */
export async function* renderExport(format: ExportFormat, source: ExportSource): AsyncGenerator<string> {
  let buffer = ''
  for await (const piece of await startExport(format, source)) {
    buffer += piece
    if (buffer.length < minPieceLength) continue
    yield buffer
    buffer = ''
  }
  yield buffer
}

/** UTF-16 units. */
const minPieceLength = 64 * 1024

async function startExport(
  format: ExportFormat,
  { read, header, onLongCell }: ExportSource,
): Promise<AsyncIterable<string>> {
  if (format === 'jsonl') return renderLines(read())
  if (format === 'csv') {
    const { listFields, renderExportCsv } = await import('../ui/export/export-csv.ts')
    return renderExportCsv(read(), await listFields(read()), onLongCell)
  }
  if (format === 'html') return (await import('../ui/export/export-html.ts')).renderExportHtml(read(), header)
  return (await import('../ui/export/export-markdown.ts')).renderExportMarkdown(read(), header)
}

async function* renderLines(results: AsyncIterable<ExportedResult>): AsyncGenerator<string> {
  for await (const result of results) yield `${formatJsonlLine(toJsonlFields(result), result.isJson)}\n`
}
