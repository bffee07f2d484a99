import type { ReportJson } from '../../core/report/report-json.ts'
import type { ReportLinks } from '../../core/report/report-links.ts'
import { buildFigures, type Figure, listRemarks } from '../report-figures.ts'
import { describeRuns, getHeadline } from '../report-headline.ts'
import { renderCosts } from './cost-section.ts'
import { createDocumentData } from './document-data.ts'
import { renderDocumentTable } from './document-table.ts'
import { renderErrors } from './error-section.ts'
import { pageEnd, readPageAsset, renderPageStart } from './html-page.ts'
import { html, type Markup } from './html-template.ts'
import { renderLatency } from './latency-chart.ts'
import { renderQuantity } from './render-quantity.ts'
import { renderRuns } from './run-section.ts'
import { renderThroughput } from './throughput-section.ts'
import { renderTimeBreakdown } from './time-breakdown.ts'
import { renderTimestamp } from './timestamp.ts'

/**
 * Generates a report as one self-contained HTML file, in pieces: with many documents and summaries it may
 * exceed the maximum length of a string.
 * @param links undefined if it is not known where the file will be
 */
export function* renderReportHtml(report: ReportJson, links?: ReportLinks): Generator<string> {
  const style = readPageAsset('report.css')
  const hasDocuments = report.documents.length > 0
  const script = `${readPageAsset('local-times.js')}${hasDocuments ? readPageAsset('report.js') : ''}`
  const title = getHeadline(report)
  const documentData = createDocumentData(report.documents, links)
  yield html`${renderPageStart(title, style, script)}<header><h1>${title}</h1><p class="setting">${renderSetting(report)}</p></header>
<main>
${report.runs.length === 0 ? undefined : renderSummary(report)}
${renderThroughput(report)}
${renderTimes(report)}
${renderCosts(report)}
${renderErrors(report)}
${renderRuns(report)}
${renderDocumentTable(report, links, documentData.textLimit)}
</main>
<footer><p>Created by claude-batch ${report.program_version}, ${renderTimestamp(report.created_at)}. <span id="zone">All times are UTC.</span> This file is self-contained and loads nothing from the network.</p></footer>
`.text
  if (hasDocuments) {
    yield '<script type="application/json" id="data">'
    yield* documentData.generate()
    yield '</script>\n'
  }
  yield `<script type="module">${script}</script>\n${pageEnd}`
}

function renderSetting(report: ReportJson): Markup[] {
  const [when, ...others] = describeRuns(report)
  const [run] = report.runs
  if (when === undefined || run === undefined) return []
  const time = report.runs.length === 1 ? renderTimestamp(run.started_at) : html`${when} (UTC)`
  return [time, ...others.map((part) => html`${part}`)].map((part) => html`<bdi>${part}</bdi> `)
}

function renderSummary(report: ReportJson): Markup {
  return html`<dl class="figures">${buildFigures(report).map(renderFigure)}</dl>${listRemarks(report).map((text) => html`<p class="remark" dir="auto">${text}</p>`)}`
}

function renderFigure({ name, value, notes, isBad }: Figure): Markup {
  return html`<div><dt>${name}</dt><dd${isBad && html` class="failed"`}>${renderQuantity(value)}</dd>${notes.map((note) => html`<dd class="note">${renderQuantity(note)}</dd>`)}</div>`
}

function renderTimes(report: ReportJson): Markup | undefined {
  const parts = [renderTimeBreakdown(report), renderLatency(report.latency)].filter(
    (part) => part !== undefined,
  )
  return parts.length === 0
    ? undefined
    : html`<section><h2>Time</h2><div class="pair">${parts}</div></section>`
}
