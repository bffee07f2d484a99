import type { ReportJson, RunRow } from '../../core/report/report-json.ts'
import { quoteBeginning } from '../../core/text/quote-beginning.ts'
import { formatCost, formatCount, formatMs, formatTokens } from '../report-format.ts'
import { html, type Markup } from './html-template.ts'
import { renderTimestamp } from './timestamp.ts'

const maxRuns = 100

/** Renders a row per run, the latest first; nothing for a single run, which the whole page describes. */
export function renderRuns({ runs }: ReportJson): Markup | undefined {
  if (runs.length < 2) return undefined
  const earlierCount = runs.length - maxRuns
  return html`<section><h2>Runs</h2><p class="note scroll-hint">Scroll this table sideways to see all columns.</p><div class="wide-table" tabindex="0" role="region" aria-label="Runs"><table>
<thead><tr>${headings.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${runs.slice(-maxRuns).reverse().map(renderRow)}</tbody></table></div>${
    earlierCount > 0 ? html`<p class="note">and ${formatCount(earlierCount, 'earlier run')}</p>` : undefined
  }</section>`
}

// A phone cuts off the last columns.
const headings = ['Started', 'Cost', 'Done', 'Failed', 'Time', 'Tokens in', 'Out']

function renderRow(run: RunRow): Markup {
  const endNote = run.ended_at === null ? 'end not recorded' : (run.stop_reason ?? undefined)
  const cells = [formatCost(run), formatCount(run.summarized)]
  const others = [formatMs(run.duration_ms), formatTokens(run, 'in'), formatTokens(run, 'out')]
  return html`<tr><th scope="row">${renderTimestamp(run.started_at)}<small><bdi>${run.prompt}</bdi>, <bdi>${run.model}</bdi>${run.simulated ? ', simulated' : ''}</small>${
    run.instructions === null
      ? undefined
      : html`<small dir="auto">${quoteBeginning(run.instructions, 200)}</small>`
  }${
    endNote === undefined ? undefined : html`<small dir="auto">${endNote}</small>`
  }</th>${cells.map(renderCell)}<td${run.failed > 0 ? html` class="failed"` : undefined}>${formatCount(run.failed)}</td>${others.map(renderCell)}</tr>`
}

function renderCell(text: string): Markup {
  return html`<td>${text}</td>`
}
