import type { DocumentRow, ReportJson } from '../../core/report/report-json.ts'
import type { ReportLinks } from '../../core/report/report-links.ts'
import { formatCost, formatCount, formatMs, statusLabels } from '../report-format.ts'
import { html, type Markup } from './html-template.ts'

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
 * Renders the table of documents. `assets/pages/report.js` fills it with the rows of `createDocumentData`.
 * @param textLimit how long the texts of the rows are at most: bytes
 */
export function renderDocumentTable(
  { documents }: ReportJson,
  links: ReportLinks | undefined,
  textLimit: number,
): Markup | undefined {
  if (documents.length === 0) return undefined
  const statuses = [...new Set(documents.map(({ status }) => status))]
  const statusFilter = html`<label>Status <select id="status"><option>all</option>${statuses.map((status) => html`<option>${statusLabels[status]}</option>`)}</select></label>`
  return html`<section id="documents" aria-labelledby="documents-title"><h2 id="documents-title">Documents</h2>
${describeTextLimit(textLimit, links)}
<div id="tools" hidden><label class="search">Search <input id="search" type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" placeholder="names, summaries and errors"></label>${statuses.length > 1 ? statusFilter : undefined}<p id="shown" role="status"></p></div>
<table id="table" hidden data-documents="${links?.documentBase ?? ''}" data-outputs="${links?.outputBase ?? ''}"><thead><tr>${headings.map(([key, name]) => html`<th scope="col" data-key="${key}" class="${key}"><button type="button">${name}</button></th>`)}</tr></thead></table>
<nav id="pages" hidden aria-label="Pages of documents"><button type="button" id="back">Previous</button><button type="button" id="on">Next</button></nav>
<noscript>${renderWithoutScript(documents, links)}</noscript></section>`
}

/** Renders a sentence about texts that are not whole. */
function describeTextLimit(textLimit: number, links: ReportLinks | undefined): Markup | undefined {
  if (textLimit === Number.POSITIVE_INFINITY) return undefined
  const what =
    textLimit === 0
      ? 'To stay small, this page has no summaries'
      : `To stay small, this page has only the first ${formatCount(textLimit)} bytes of each summary`
  const where =
    links?.outputBase === undefined
      ? 'the files in the output folder are complete'
      : 'the links in the table lead to the complete files'
  return html`<p class="note limit">${what}; ${where}. A report of one run (--run) or of the latest runs (--since) has more.</p>`
}

function renderWithoutScript(documents: readonly DocumentRow[], links: ReportLinks | undefined): Markup {
  const more = documents.length - maxRowsWithoutScript
  return html`<table><thead><tr><th scope="col" class="path">Document</th><th scope="col">Status</th><th scope="col">Latency</th><th scope="col">Cost</th></tr></thead><tbody>${documents
    .slice(0, maxRowsWithoutScript)
    .map(
      ({ status, latency_ms: latency, replies_with_unknown_cost: uncounted, error, ...row }) =>
        html`<tr><th scope="row" class="path">${renderPath(row, links)}${error === null ? undefined : html`<small class="failed" dir="auto">${error}</small>`}</th><td>${statusLabels[status]}</td><td>${formatMs(latency)}</td><td>${formatCost({ ...row, documents_with_unknown_cost: uncounted })}</td></tr>`,
    )}</tbody></table>${more > 0 ? html`<p class="note">and ${formatCount(more)} more, which need JavaScript to be shown</p>` : undefined}`
}

/** Renders the path of a document, as a link if there is one, and a link to its summary or error record. */
function renderPath(
  { path, output_path: file }: Pick<DocumentRow, 'path' | 'output_path'>,
  links: ReportLinks | undefined,
): Markup {
  const link = links?.toDocument(path)
  const outputLink = file === null ? undefined : links?.toOutput(file)
  const name = html`<bdi>${path}</bdi>`
  return html`${link === undefined ? name : html`<a href="${link}">${name}</a>`}${
    outputLink === undefined ? undefined : html` <a class="note" href="${outputLink}">result</a>`
  }`
}
