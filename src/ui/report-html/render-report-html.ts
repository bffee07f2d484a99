import type { ReportJson } from '../../core/report/report-json.ts'
import { buildFigures, describeRuns, type Figure, getHeadline, listRemarks } from '../report-figures.ts'
import { formatTimestamp } from '../report-format.ts'
import { renderCosts } from './cost-section.ts'
import { generateDocumentData, renderDocumentTable } from './document-table.ts'
import { renderErrors } from './error-section.ts'
import { pageEnd, readPageAsset, renderPageStart } from './html-page.ts'
import { html, type Markup } from './html-template.ts'
import { renderLatency } from './latency-chart.ts'
import { renderRuns } from './run-section.ts'
import { renderThroughput } from './throughput-section.ts'
import { renderTimeBreakdown } from './time-breakdown.ts'

/**
 * Generates a report as one self-contained HTML file, in pieces: with many documents and summaries it may
 * exceed the maximum length of a string.
 */
export function* renderReportHtml(report: ReportJson): Generator<string> {
  const [style, script] = [readPageAsset('report.css'), readPageAsset('report.js')]
  const title = getHeadline(report)
  yield html`${renderPageStart(title, style, script)}<header><h1>${title}</h1><p class="setting">${describeRuns(report).map((part) => html`<bdi>${part}</bdi> `)}</p></header>
<main>
${report.runs.length === 0 ? undefined : renderSummary(report)}
${renderThroughput(report)}
${renderTimes(report)}
${renderCosts(report)}
${renderErrors(report)}
${renderRuns(report)}
${renderDocumentTable(report)}
</main>
<footer><p>Created by claude-batch ${report.program_version}, ${formatTimestamp(report.created_at)}. All times are UTC. This file is self-contained and loads nothing from the network.</p></footer>
`.text
  if (report.documents.length > 0) {
    yield '<script type="application/json" id="data">'
    yield* generateDocumentData(report.documents)
    yield `</script>\n<script type="module">${script}</script>\n`
  }
  yield pageEnd
}

function renderSummary(report: ReportJson): Markup {
  return html`<dl class="figures">${buildFigures(report).map(renderFigure)}</dl>${listRemarks(report).map((text) => html`<p class="remark" dir="auto">${text}</p>`)}`
}

function renderFigure({ name, value, notes, isBad }: Figure): Markup {
  return html`<div><dt>${name}</dt><dd${isBad && html` class="failed"`}>${value}</dd>${notes.map((note) => html`<dd class="note">${note}</dd>`)}</div>`
}

function renderTimes(report: ReportJson): Markup | undefined {
  const parts = [renderTimeBreakdown(report), renderLatency(report.latency)].filter(
    (part) => part !== undefined,
  )
  return parts.length === 0
    ? undefined
    : html`<section><h2>Time</h2><div class="pair">${parts}</div></section>`
}
