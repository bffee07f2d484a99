import { sumInputTokens } from '../../core/pricing/usage.ts'
import { describeMissingSummary, type ExportedResult } from '../../core/report/exported-result.ts'
import { readCompleteCost } from '../../core/run/complete-cost.ts'
import { formatCsvCell } from '../../core/text/csv-cell.ts'
import { readJsonMembers } from '../../core/text/json-members.ts'
import { isJson } from '../../core/text/minify-json.ts'

/** The columns before those of structured summaries. */
const columns = [
  'path',
  'status',
  'model',
  'ended_at',
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'prompt',
  'quality_issues',
  'edited',
  'simulated',
  'error',
  'summary',
] as const
type Column = (typeof columns)[number]

/**
 * The maximum number of columns of structured summaries. Otherwise, objects that all have other fields would
 * make a table of mostly empty cells that is larger than any disk.
 */
const maxFields = 1000

/** UTF-16 units that Excel shows in a cell. */
const maxCellLength = 32_767

/** Returns the names of the fields of all structured summaries, in the order in which they appear. */
export async function listFields(results: AsyncIterable<ExportedResult>): Promise<ReadonlySet<string>> {
  const fields = new Set<string>()
  for await (const result of results)
    for (const name of readFields(result)?.keys() ?? []) if (fields.size < maxFields) fields.add(name)
  return fields
}

/**
 * Generates a CSV table (RFC 4180), one row per result. It begins with a byte-order mark, without which Excel
 * does not read UTF-8.
 * @param fields the fields of structured summaries that have a column. A summary with another field is in the
 *   column `summary` as a whole
 * @param onLongCell called with the path of a document with a text that Excel would cut
 */
export async function* renderExportCsv(
  results: AsyncIterable<ExportedResult>,
  fields: ReadonlySet<string>,
  onLongCell: (path: string) => void,
): AsyncGenerator<string> {
  yield `\ufeff${joinRow([...columns, ...[...fields].map(toColumnName)].map(formatCsvCell))}`
  for await (const result of results) {
    const members = readFields(result)
    const hasColumns = members !== undefined && [...members.keys()].every((name) => fields.has(name))
    const cells = toCells(result, hasColumns ? undefined : result.text)
    const row = [
      ...columns.map((name) => cells[name]),
      ...[...fields].map((name) => formatJsonCell(hasColumns ? members.get(name) : undefined)),
    ]
    if (row.some(isLong)) onLongCell(result.entry.path)
    yield joinRow(row)
  }
}

function isLong(cell: string): boolean {
  return cell.length > maxCellLength && cell.slice(1, -1).replaceAll('""', '"').length > maxCellLength
}

function joinRow(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`
}

/** Returns the name of a field's column. It differs from those of all other columns. */
function toColumnName(field: string): string {
  const isTaken = (columns as readonly string[]).includes(field) || field.startsWith('summary.')
  return isTaken ? `summary.${field}` : field
}

function toCells(
  { entry, isEdited, isSimulated }: ExportedResult,
  summary: string | undefined,
): Readonly<Record<Column, string>> {
  const { usage, cost_usd } = readCompleteCost(entry)
  return {
    path: formatCsvCell(entry.path),
    status: formatCsvCell(entry.status),
    model: formatCsvCell(entry.model),
    ended_at: formatCsvCell(entry.ended_at),
    input_tokens: usage === null ? '' : String(sumInputTokens(usage)),
    output_tokens: usage === null ? '' : String(usage.output_tokens),
    cost_usd: cost_usd === null ? '' : String(cost_usd),
    prompt: formatCsvCell(entry.prompt),
    quality_issues: formatOptionalCell(entry.quality_issues?.join('; ')),
    edited: isEdited ? 'true' : '',
    simulated: isSimulated ? 'true' : '',
    error: formatOptionalCell(describeMissingSummary(entry)),
    summary: formatOptionalCell(summary),
  }
}

function formatOptionalCell(text: string | undefined): string {
  return text === undefined ? '' : formatCsvCell(text)
}

/** Returns the cell of a JSON value: numbers stay numbers, null is empty, lists and objects are JSON. */
function formatJsonCell(json = 'null'): string {
  if (json === 'null') return ''
  if (json.startsWith('"')) return formatCsvCell(JSON.parse(json) as string)
  return /^[[{]/.test(json) ? formatCsvCell(json) : json
}

/** Returns the fields of a summary that is a JSON object; undefined for other results. */
function readFields({ text, isJson: isStructured }: ExportedResult): ReadonlyMap<string, string> | undefined {
  return isStructured && text !== undefined && isJson(text) ? readJsonMembers(text) : undefined
}
