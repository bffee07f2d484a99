import type { ReportFile, RunRow } from '../../core/report/report-json.ts'
import { costWords, counted, instant, ms, tokens } from '../report-words.ts'
import { html, type Markup } from './html-template.ts'

const mostRuns = 100

/** A line for each run, the latest first; a single one is what the whole page is about. */
export function runs({ runs }: ReportFile): Markup | undefined {
  if (runs.length < 2) return undefined
  const earlier = runs.length - mostRuns
  return html`<section><h2>Runs</h2><div class="wide-table" tabindex="0" role="region" aria-label="Runs"><table>
<thead><tr>${headings.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${runs.slice(-mostRuns).reverse().map(row)}</tbody></table></div>${
    earlier > 0 ? html`<p class="note">and ${counted(earlier, 'earlier run')}</p>` : undefined
  }</section>`
}

// On a phone the last ones are out of sight.
const headings = ['Began', 'Cost', 'Done', 'Failed', 'Time', 'Tokens in', 'Out']

function row(run: RunRow): Markup {
  const ended = run.ended === null ? 'no end is recorded' : (run.stopped ?? undefined)
  const cells = [costWords(run), counted(run.summarized)]
  const others = [ms(run.wall_ms), tokens(run, 'in'), tokens(run, 'out')]
  return html`<tr><th scope="row">${instant(run.began)}<small><bdi>${run.prompt}</bdi>, <bdi>${run.model}</bdi>${run.simulated ? ', simulated' : ''}</small>${
    ended === undefined ? undefined : html`<small dir="auto">${ended}</small>`
  }</th>${cells.map(cell)}<td${run.failed > 0 ? html` class="failed"` : undefined}>${counted(run.failed)}</td>${others.map(cell)}</tr>`
}

function cell(text: string): Markup {
  return html`<td>${text}</td>`
}
