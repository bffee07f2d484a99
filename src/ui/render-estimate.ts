import type { EstimateJson } from '../core/estimate/estimate-json.ts'
import { markdownMarker, type ReportFormat } from '../core/report/generated-marker.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { type EstimateContext, listEstimateRows } from './format-estimate.ts'
import { escapeMarkdown, renderMarkdownTable } from './markdown.ts'
import { formatTimestamp } from './report-format.ts'
import { pageEnd, readPageAsset, renderPageStart } from './report-html/html-page.ts'
import { html } from './report-html/html-template.ts'

/** Returns an estimate as the content of a file in one of the formats of reports. */
export function renderEstimate(
  format: ReportFormat,
  estimate: EstimateJson,
  context: EstimateContext,
): string {
  if (format === 'json') return `${JSON.stringify(replaceLoneSurrogates(estimate), null, 2)}\n`
  const rows = listEstimateRows(estimate, context)
  const title = 'What the run will do and cost'
  const origin = `Estimated by claude-batch, ${formatTimestamp(estimate.created_at)}; nothing was sent.`
  if (format === 'md') {
    const table = renderMarkdownTable(
      ['', ''],
      rows.map((row) => row.map(escapeMarkdown)),
    )
    return `${markdownMarker}\n# ${title}\n\n${table}\n${escapeMarkdown(origin)}\n`
  }
  return html`${renderPageStart(title, readPageAsset('report.css'))}<header><h1>${title}</h1><p class="setting">${origin}</p></header>
<main><section><table>
<tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="text">${value}</td></tr>`)}</tbody>
</table></section></main>
`.text.concat(pageEnd)
}
