import type { ReportJson } from '../../core/report/report-json.ts'
import { computeTimeShares, describeTurnWait, formatTotalTime } from '../time-shares.ts'
import { renderBarTable } from './bar-table.ts'
import { html, type Markup } from './html-template.ts'

/** Renders how the time of documents is divided. */
export function renderTimeBreakdown(report: ReportJson): Markup | undefined {
  const parts = computeTimeShares(report)
  if (parts.length === 0) return undefined
  const rows = parts.map(({ name, value, share, each }) => ({ name, value, text: `${share}, ${each}` }))
  const turnWait = describeTurnWait(report)
  const total = parts.reduce((sum, { value }) => sum + value, 0)
  return html`<figure><figcaption><h3>Time per document</h3><p>${formatTotalTime(report)}</p></figcaption>${renderBarTable(['part', 'share and mean'], rows, total)}${turnWait && html`<p class="note">${turnWait}</p>`}</figure>`
}
