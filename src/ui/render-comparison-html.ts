import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import {
  buildComparisonTables,
  type DocumentComparison,
  getComparisonNote,
  type JudgeView,
  resultLabels,
  type VariantView,
} from './comparison-tables.ts'
import { pageEnd, readPageAsset, renderPageStart } from './report-html/html-page.ts'
import { html, Markup } from './report-html/html-template.ts'

/** Generates a comparison as one self-contained HTML file: the tables, then all texts side by side. */
export function* renderComparisonHtml(
  variants: readonly VariantView[],
  judge: JudgeView | undefined,
  documents: readonly DocumentComparison[],
): Generator<string> {
  const title = `${variants.length} variants, ${documents.length === 1 ? '1 document' : `${documents.length} documents`}`
  yield html`${renderPageStart(title, readPageAsset('report.css'))}<header><h1>${title}</h1><p class="setting">${getComparisonNote(judge)}</p></header>
<main>
${buildComparisonTables(variants, judge).map(renderTable)}
`.text
  for (const document of documents) yield renderTexts(document).text
  yield `</main>\n${pageEnd}`
}

function renderTable([head = [], ...rows]: readonly (readonly string[])[]): Markup {
  const [corner = '', ...names] = head
  return html`<section><div class="wide-table" tabindex="0" role="region" aria-label="${corner || 'Means per document'}"><table>
<thead><tr><th scope="col">${corner}</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([name = '', ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div></section>
`
}

function renderTexts({ path, texts, judgements }: DocumentComparison): Markup {
  const articles = texts.map(({ name, text }) => {
    const judgement = judgements.find((candidate) => candidate.name === name)
    const judgeReplies = judgement?.replies.map(
      (text, n) => html`<p>In ${n === 0 ? 'first' : 'second'} position:</p>${renderPreformatted(text)}`,
    )
    return html`<article><h3>${name}</h3>${renderPreformatted(text)}${
      judgement === undefined || judgeReplies === undefined
        ? undefined
        : html`<details><summary>Judgement: ${resultLabels[judgement.result]}</summary>${judgeReplies}</details>`
    }</article>`
  })
  return html`<section><h2><bdi>${path}</bdi></h2><div class="texts">${articles}</div></section>
`
}

/** Renders text with its line breaks. */
function renderPreformatted(text: string | undefined): Markup {
  const escaped = escapeControlChars(text ?? '(nothing)', '\n\t')
    .split('\n')
    .map((line) => html`${line}`.text)
  return html`<pre dir="auto">${new Markup(escaped.join('\n'))}</pre>`
}
