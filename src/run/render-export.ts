import { type ExportedResult, isMissing, toJsonlFields } from '../core/report/exported-result.ts'
import type { ExportFormat } from '../core/report/generated-marker.ts'
import { formatJsonlLine } from '../core/run/jsonl-line.ts'
import type { ExportHeader } from '../ui/export/result-facts.ts'

export interface ExportSource {
  readonly header: ExportHeader
  /** Reads the results. */
  read(): AsyncIterable<ExportedResult>
  /** Reads only those that are JSON, for formats that must know all fields first. */
  readStructured(): AsyncIterable<ExportedResult>
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
  { read, readStructured, header, onLongCell }: ExportSource,
): Promise<AsyncIterable<string>> {
  if (format === 'jsonl') return renderLines(withoutMissing(read()))
  if (format === 'csv') {
    const { listFields, renderExportCsv } = await import('../ui/export/export-csv.ts')
    return renderExportCsv(withoutMissing(read()), await listFields(readStructured()), onLongCell)
  }
  if (format === 'html') return (await import('../ui/export/export-html.ts')).renderExportHtml(read(), header)
  return (await import('../ui/export/export-markdown.ts')).renderExportMarkdown(read(), header)
}

/** Leaves out summaries that cannot be read. Pages say so in their place, because the table of contents has them. */
async function* withoutMissing(results: AsyncIterable<ExportedResult>): AsyncGenerator<ExportedResult> {
  for await (const result of results) if (!isMissing(result)) yield result
}

async function* renderLines(results: AsyncIterable<ExportedResult>): AsyncGenerator<string> {
  for await (const result of results) yield `${formatJsonlLine(toJsonlFields(result), result.isJson)}\n`
}
