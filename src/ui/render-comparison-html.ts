import { truncate } from '../core/text/truncate.ts'
import {
  buildComparisonTables,
  type DocumentComparison,
  getComparisonNote,
  type JudgeView,
  resultLabels,
  type VariantText,
  type VariantView,
} from './comparison-tables.ts'
import { formatCost } from './report-format.ts'
import { pageEnd, readPageAsset, renderPageStart } from './report-html/html-page.ts'
import { html, type Markup } from './report-html/html-template.ts'
import { renderPreformatted } from './report-html/preformatted.ts'

/** Generates a comparison as one self-contained HTML file: the tables, then all texts side by side. */
export function* renderComparisonHtml(
  variants: readonly VariantView[],
  judge: JudgeView | undefined,
  documents: readonly DocumentComparison[],
): Generator<string> {
  const title = `${variants.length} variants, ${documents.length === 1 ? '1 document' : `${documents.length} documents`}`
  const isSimulated = documents.some(({ texts }) => texts.some(({ simulated }) => simulated === true))
  yield html`${renderPageStart(title, readPageAsset('report.css'))}<header><h1>${title}</h1><p class="setting">${getComparisonNote(variants, judge)}${isSimulated ? ' Costs are simulated: nothing was spent.' : ''}</p></header>
<main>
${buildComparisonTables(variants, judge).map(renderTable)}
`.text
  for (const document of documents) yield renderTexts(document).text
  yield `</main>\n${pageEnd}`
}

function renderTable([head = [], ...rows]: readonly (readonly string[])[]): Markup {
  const [corner = '', ...names] = head
  return html`<section><p class="note scroll-hint">Scroll this table sideways to see all columns.</p><div class="wide-table" tabindex="0" role="region" aria-label="${corner || 'Means per document'}"><table>
<thead><tr><th scope="col">${corner}</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([name = '', ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${renderFigure(cell)}</td>`)}</tr>`)}</tbody>
</table></div></section>
`
}

/** Returns a figure and its interval, which may be on separate lines, but have no breaks inside. */
function renderFigure(cell: string): Markup[] {
  return cell.split(/ (?=[±(])/).map((part) => html`<span class="figure">${part}</span> `)
}

function renderTexts({ path, source, texts, judgements }: DocumentComparison): Markup {
  const articles = texts.map(({ name, text, ...cost }) => {
    const judgement = judgements.find((candidate) => candidate.name === name)
    const judgeReplies = judgement?.replies.map(
      (text, n) => html`<p>In ${n === 0 ? 'first' : 'second'} position:</p>${renderPreformatted(text)}`,
    )
    return html`<article><h3>${name}</h3>${renderCost(cost)}${renderPreformatted(text ?? '(nothing)')}${
      judgement === undefined || judgeReplies === undefined
        ? undefined
        : html`<details><summary>Judgement: ${resultLabels[judgement.result]}</summary>${judgeReplies}</details>`
    }</article>`
  })
  return html`<section><h2><bdi>${path}</bdi></h2>${source === undefined ? undefined : renderSource(source)}<div class="texts">${articles}</div></section>
`
}

function renderCost({ costUsd, simulated = false }: Pick<VariantText, 'costUsd' | 'simulated'>) {
  if (costUsd === undefined) return undefined
  const cost = formatCost({ cost_usd: costUsd, documents_with_unknown_cost: 0, simulated })
  return html`<p class="note">Cost: ${cost}</p>`
}

/** UTF-16 units: enough to judge a summary, and the page stays small. */
const maxSourceLength = 50_000

/** Renders the text of a document, folded. */
function renderSource(source: string): Markup {
  const isCut = source.length > maxSourceLength
  const note = isCut ? html`<p class="note">Only the beginning of the document is shown.</p>` : undefined
  return html`<details class="source"><summary>Text of the document</summary>${note}${renderPreformatted(truncate(source, maxSourceLength))}</details>`
}
