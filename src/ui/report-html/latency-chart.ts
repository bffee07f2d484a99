import type { Distribution } from '../../core/report/distribution.ts'
import { formatCount, formatMs } from '../report-format.ts'
import { renderColumnChart } from './column-chart.ts'
import { html, type Markup } from './html-template.ts'
import { buildTimeAxis } from './time-axis.ts'

/** With fewer replies there is no chart. */
const minReplies = 20

/** Renders the distribution of the API's latency. */
export function renderLatency(distribution: Distribution | null): Markup | undefined {
  if (distribution === null) return undefined
  const { count, p50_ms: p50, p95_ms: p95, p99_ms: p99, max_ms: most, bin_ms: step, bins } = distribution
  const length = bins.length * step
  const words =
    count === 1
      ? formatMs(p50)
      : `half within ${formatMs(p50)}, 95 % within ${formatMs(p95)}, max ${formatMs(most)}`
  const last = bins.length - 1
  const label = `Latency of ${formatCount(count, 'reply', 'replies')}: p50 ${formatMs(p50)}, p95 ${formatMs(p95)}, p99 ${formatMs(p99)}, max ${formatMs(most)}.`
  const chart = renderColumnChart({
    label,
    values: bins,
    formatTip: (value, n) =>
      `${n === 0 ? '0' : formatMs(n * step)} ${n === last && most >= length ? 'and more' : `to ${formatMs((n + 1) * step)}`}: ${formatCount(value, 'reply', 'replies')}`,
    formatScale: (value) => formatCount(value),
    axis: buildTimeAxis(length),
    marks: [
      { at: p50 / length, text: `p50 ${formatMs(p50)}` },
      { at: p95 / length, text: `p95 ${formatMs(p95)}` },
      { at: p99 / length, text: `p99 ${formatMs(p99)}` },
    ],
  })
  return html`<figure><figcaption><h3>API latency</h3><p>${words}</p></figcaption>${count < minReplies ? undefined : chart}</figure>`
}
