import type { DocumentRow, ReportJson } from '../../core/report/report-json.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { formatCost, formatCount, formatMs, formatTimestamp, statusLabels } from '../report-format.ts'
import { html, type Markup, stringifyForScript } from './html-template.ts'

/** Rows in the table that is shown without JavaScript. */
const maxRowsWithoutScript = 100

/**
 * The columns: a field of `DocumentRow`, which is also the CSS class and the sort key, and the heading. A new
 * column also needs a cell at the same place in `renderCells` (`assets/pages/report.js`), a width in
 * `report.css`, and where it is wanted a cell in `renderWithoutScript` and in the Markdown table
 * (`ui/render-report-markdown.ts`).
 */
const headings = [
  ['path', 'Document'],
  ['status', 'Status'],
  ['input_tokens', 'Tokens in'],
  ['output_tokens', 'Out'],
  ['latency_ms', 'Latency'],
  ['cost_usd', 'Cost'],
] as const

/**
 * Renders the table of documents. `assets/pages/report.js` fills it with the rows of `generateDocumentData`.
 */
export function renderDocumentTable({ documents }: ReportJson): Markup | undefined {
  if (documents.length === 0) return undefined
  const statuses = [...new Set(documents.map(({ status }) => status))]
  const statusFilter = html`<label>Status <select id="status"><option>all</option>${statuses.map((status) => html`<option>${statusLabels[status]}</option>`)}</select></label>`
  return html`<section id="documents" aria-labelledby="documents-title"><h2 id="documents-title">Documents</h2>
<div id="tools" hidden><label class="search">Search <input id="search" type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" placeholder="names, summaries and errors"></label>${statuses.length > 1 ? statusFilter : undefined}<p id="shown" role="status"></p></div>
<table id="table" hidden><thead><tr>${headings.map(([key, name]) => html`<th scope="col" data-key="${key}" class="${key}"><button type="button">${name}</button></th>`)}</tr></thead></table>
<nav id="pages" hidden aria-label="Pages of documents"><button type="button" id="back">Previous</button><button type="button" id="on">Next</button></nav>
<noscript>${renderWithoutScript(documents)}</noscript></section>`
}

function renderWithoutScript(documents: readonly DocumentRow[]): Markup {
  const more = documents.length - maxRowsWithoutScript
  return html`<table><thead><tr><th scope="col" class="path">Document</th><th scope="col">Status</th><th scope="col">Latency</th><th scope="col">Cost</th></tr></thead><tbody>${documents
    .slice(0, maxRowsWithoutScript)
    .map(
      ({ path, status, latency_ms: latency, cost_usd, replies_with_unknown_cost: uncounted, error }) =>
        html`<tr><th scope="row" class="path"><bdi>${path}</bdi>${error === null ? undefined : html`<small class="failed" dir="auto">${error}</small>`}</th><td>${statusLabels[status]}</td><td>${formatMs(latency)}</td><td>${formatCost({ cost_usd, documents_with_unknown_cost: uncounted })}</td></tr>`,
    )}</tbody></table>${more > 0 ? html`<p class="note">and ${formatCount(more)} more, which need JavaScript to be shown</p>` : undefined}`
}

const rowsPerPiece = 500

/** Generates the rows for `report.js` as pieces of JSON, with control and bidi characters made visible. */
export function* generateDocumentData(documents: readonly DocumentRow[]): Generator<string> {
  yield '['
  for (let n = 0; n < documents.length; n += rowsPerPiece) {
    const rows = documents.slice(n, n + rowsPerPiece).map((row) => stringifyForScript(toEscapedRow(row)))
    yield `${n === 0 ? '' : ','}\n${rows.join(',\n')}`
  }
  yield '\n]'
}

/** The row as the script gets it: a {@link DocumentRow} whose texts can be shown. */
function toEscapedRow({
  path,
  status,
  ended_at,
  prompt,
  model,
  error,
  output_path,
  output_text,
  ...numbers
}: DocumentRow) {
  return {
    path: escapeControlChars(path),
    status: statusLabels[status],
    ended_at: escapeControlChars(formatTimestamp(ended_at)),
    prompt: escapeControlChars(prompt),
    model: escapeControlChars(model),
    error: error === null ? null : escapeControlChars(error),
    output_path: output_path === null ? null : escapeControlChars(output_path),
    ...numbers,
    ...(output_text !== undefined && {
      output_text: escapeControlChars(output_text.replaceAll('\r\n', '\n'), '\n\t'),
    }),
  }
}
