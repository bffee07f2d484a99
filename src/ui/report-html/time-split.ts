import type { ReportFile } from '../../core/report/report-json.ts'
import { timeParts, timeWords } from '../report-time.ts'
import { html, type Markup } from './html-template.ts'
import { shares } from './shares.ts'

/** Where the documents spent their time. */
export function timeSplit(report: ReportFile): Markup | undefined {
  const parts = timeParts(report)
  if (parts.length === 0) return undefined
  const rows = parts.map(({ name, value, share, each }) => ({ name, value, text: `${share}, ${each}` }))
  const all = parts.reduce((sum, { value }) => sum + value, 0)
  return html`<figure><figcaption><h3>Where the time of documents went</h3><p>${timeWords(report)}</p></figcaption>${shares(['part', 'share and mean'], rows, all)}</figure>`
}
