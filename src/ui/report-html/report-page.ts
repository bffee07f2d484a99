import type { ReportFile } from '../../core/report/report-json.ts'
import { type Figure, figures, headline, remarks, setting } from '../report-figures.ts'
import { instant } from '../report-words.ts'
import { costs } from './costs.ts'
import { documentData, documentTable } from './documents.ts'
import { errors } from './error-table.ts'
import { asset, closing, opening } from './frame.ts'
import { html, type Markup } from './html-template.ts'
import { latency } from './latency.ts'
import { pace } from './pace.ts'
import { runs } from './runs.ts'
import { timeSplit } from './time-split.ts'

/**
 * A report as one HTML file that needs no other and no network, in pieces: with many documents and their summaries it
 * may be longer than a string can be.
 */
export function* reportHtml(report: ReportFile): Generator<string> {
  const [style, script] = [asset('report.css'), asset('report.js')]
  const title = headline(report)
  yield html`${opening(title, style, script)}<header><h1>${title}</h1><p class="setting">${setting(report).map((part) => html`<bdi>${part}</bdi> `)}</p></header>
<main>
${report.runs.length === 0 ? undefined : summary(report)}
${pace(report)}
${times(report)}
${costs(report)}
${errors(report)}
${runs(report)}
${documentTable(report)}
</main>
<footer><p>Made by claude-batch ${report.program}, ${instant(report.made)}. All times are UTC. This file holds everything it shows and asks nothing of any network.</p></footer>
`.text
  if (report.documents.length > 0) {
    yield '<script type="application/json" id="data">'
    yield* documentData(report.documents)
    yield `</script>\n<script type="module">${script}</script>\n`
  }
  yield closing
}

function summary(report: ReportFile): Markup {
  return html`<dl class="figures">${figures(report).map(figure)}</dl>${remarks(report).map((text) => html`<p class="remark" dir="auto">${text}</p>`)}`
}

function figure({ name, value, notes, bad }: Figure): Markup {
  return html`<div><dt>${name}</dt><dd${bad && html` class="failed"`}>${value}</dd>${notes.map((note) => html`<dd class="note">${note}</dd>`)}</div>`
}

function times(report: ReportFile): Markup | undefined {
  const parts = [timeSplit(report), latency(report.latency)].filter((part) => part !== undefined)
  return parts.length === 0
    ? undefined
    : html`<section><h2>Time</h2><div class="pair">${parts}</div></section>`
}
