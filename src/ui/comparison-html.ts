import { printable } from '../core/text/escape-control.ts'
import {
  comparisonNote,
  judgementWords,
  type ShownArm,
  type ShownJudge,
  type SideBySide,
  tablesOf,
} from './comparison-report.ts'
import { asset, closing, opening } from './report-html/frame.ts'
import { html, Markup } from './report-html/html-template.ts'

/** A comparison as one HTML file that needs no other and no network: the tables, and all texts beside each other. */
export function* comparisonHtml(
  arms: readonly ShownArm[],
  judge: ShownJudge | undefined,
  documents: readonly SideBySide[],
): Generator<string> {
  const title = `${arms.length} ways to summarize ${documents.length === 1 ? '1 document' : `${documents.length} documents`}`
  yield html`${opening(title, asset('report.css'))}<header><h1>${title}</h1><p class="setting">${comparisonNote(judge)}</p></header>
<main>
${tablesOf(arms, judge).map(table)}
`.text
  for (const document of documents) yield textsOf(document).text
  yield `</main>\n${closing}`
}

function table([head = [], ...rows]: readonly (readonly string[])[]): Markup {
  const [corner = '', ...names] = head
  return html`<section><div class="wide-table" tabindex="0" role="region" aria-label="${corner || 'Means per document'}"><table>
<thead><tr><th scope="col">${corner}</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([name = '', ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div></section>
`
}

function textsOf({ path, texts, judgements }: SideBySide): Markup {
  const articles = texts.map(({ name, text }) => {
    const judgement = judgements.find((it) => it.name === name)
    const said = judgement?.texts.map(
      (text, n) => html`<p>Standing ${n === 0 ? 'first' : 'second'}:</p>${lines(text)}`,
    )
    return html`<article><h3>${name}</h3>${lines(text)}${
      judgement === undefined || said === undefined
        ? undefined
        : html`<details><summary>The judge: it ${judgementWords[judgement.judgement]}</summary>${said}</details>`
    }</article>`
  })
  return html`<section><h2><bdi>${path}</bdi></h2><div class="texts">${articles}</div></section>
`
}

/** With its lines as they are. */
function lines(text: string | undefined): Markup {
  const escaped = printable(text ?? '(nothing)', '\n\t')
    .split('\n')
    .map((line) => html`${line}`.text)
  return html`<pre dir="auto">${new Markup(escaped.join('\n'))}</pre>`
}
