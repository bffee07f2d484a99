import type { Distribution } from '../../core/report/distribution.ts'
import { counted, ms } from '../report-words.ts'
import { columns } from './columns.ts'
import { html, type Markup } from './html-template.ts'
import { timeAxis } from './time-axis.ts'

/** So few answers make no shape. */
const fewest = 20

/** How long the service took to answer, from the fastest to the slowest. */
export function latency(distribution: Distribution | null): Markup | undefined {
  if (distribution === null) return undefined
  const { count, p50, p95, p99, most, step_ms: step, bins } = distribution
  const length = bins.length * step
  const words =
    count === 1 ? ms(p50) : `half within ${ms(p50)}, 95 % within ${ms(p95)}, the slowest ${ms(most)}`
  const last = bins.length - 1
  const label = `Latency of ${counted(count, 'answer')}: p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, the slowest ${ms(most)}.`
  const chart = columns({
    label,
    values: bins,
    tip: (value, n) =>
      `${n === 0 ? '0' : ms(n * step)} ${n === last && most >= length ? 'and more' : `to ${ms((n + 1) * step)}`}: ${counted(value, 'answer')}`,
    scale: (value) => counted(value),
    axis: timeAxis(length),
    marks: [
      { at: p50 / length, text: `p50 ${ms(p50)}` },
      { at: p95 / length, text: `p95 ${ms(p95)}` },
      { at: p99 / length, text: `p99 ${ms(p99)}` },
    ],
  })
  return html`<figure><figcaption><h3>Latency of the service</h3><p>${words}</p></figcaption>${count < fewest ? undefined : chart}</figure>`
}
