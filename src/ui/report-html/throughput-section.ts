import { fromLimitFields } from '../../core/rate-limit/limit-fields.ts'
import { type LimitName, limitLabels, limitNames } from '../../core/rate-limit/limiter-state.ts'
import type { ReportJson } from '../../core/report/report-json.ts'
import type { Timeline } from '../../core/report/timeline.ts'
import { formatRoundedCount } from '../quantity.ts'
import { formatCount, formatMs } from '../report-format.ts'
import { renderColumnChart } from './column-chart.ts'
import { html, type Markup } from './html-template.ts'
import { buildTimeAxis } from './time-axis.ts'

/** With fewer documents there is no chart. */
const minDocuments = 20

/** Renders throughput over time with the most used limit, and the requests in flight. */
export function renderThroughput({ timeline, runs: [run] }: ReportJson): Markup | undefined {
  if (timeline === null || run === undefined || sum(timeline.finished) < minDocuments) return undefined
  const limits = fromLimitFields(run.limits ?? {})
  const limitsByShare = limitNames
    .filter((name) => limits[name] !== undefined)
    .sort(
      (a, b) =>
        computeMeanPerMinute(timeline, b) / (limits[b] ?? 1) -
        computeMeanPerMinute(timeline, a) / (limits[a] ?? 1),
    )
  const [mostUsed] = limitsByShare
  const shown: LimitName[] =
    mostUsed === undefined || mostUsed === 'requests' ? ['requests'] : ['requests', mostUsed]
  return html`<section><h2>Throughput</h2><div class="pair">${shown.map((name) => renderRate(timeline, name, limits[name]))}${renderInFlight(timeline, run.max_in_flight)}</div></section>`
}

function renderRate(timeline: Timeline, name: LimitName, limit: number | undefined): Markup {
  const { values, step } = mergeSteps(timeline, name)
  const perMinute = values.map((value) => (value / step) * 60_000)
  const maxPerMinute = Math.max(...perMinute)
  const average = computeMeanPerMinute(timeline, name)
  const unit = name === 'requests' ? 'documents' : limitLabels[name]
  const title =
    name === 'requests'
      ? 'Documents finished per minute'
      : `${unit[0]?.toUpperCase()}${unit.slice(1)} per minute`
  const words = `${formatRounded(average)} a minute on average${formatLimitShare(average, limit)}`
  return renderFigure(title, words, {
    label: `${title} over the run: ${words}, at most ${formatRounded(maxPerMinute)}.`,
    values: perMinute,
    formatTip: (value, n) => `${formatTimeSpan(n, step)}: ${formatRounded(value)} ${unit} a minute`,
    // A limit far above the columns would make them invisible.
    ...(limit !== undefined &&
      limit < 3 * maxPerMinute && { limit: { value: limit, text: `limit ${formatRounded(limit)}` } }),
    step,
  })
}

function renderInFlight(timeline: Timeline, maxInFlight: number | null): Markup {
  const { step_ms: step, in_flight: values } = timeline
  const average = Number((sum(values) / values.length).toFixed(1))
  const words = `${formatCount(average)} on average${maxInFlight === null ? '' : `, ${formatCount(maxInFlight)} at most`}`
  return renderFigure('Requests in flight', words, {
    label: `Requests in flight over the run: ${words}.`,
    values,
    formatTip: (value, n) => `${formatTimeSpan(n, step)}: ${formatCount(value)} in flight`,
    isContinuous: true,
    step,
  })
}

function renderFigure(
  title: string,
  words: string,
  {
    step,
    ...chart
  }: Omit<Parameters<typeof renderColumnChart>[0], 'axis' | 'formatScale'> & { readonly step: number },
): Markup {
  const axis = buildTimeAxis(chart.values.length * step)
  return html`<figure><figcaption><h3>${title}</h3><p>${words}</p></figcaption>${renderColumnChart({ ...chart, axis, formatScale })}</figure>`
}

function formatLimitShare(average: number, limit: number | undefined): string {
  if (limit === undefined) return ''
  // The API lets a burst through at the start.
  if (average > limit) return `, above the limit of ${formatRounded(limit)}, which is possible in a short run`
  return `, ${Math.round((average / limit) * 100)} % of the limit of ${formatRounded(limit)}`
}

const timelineFields = {
  requests: 'finished',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
} as const

/** Merges steps that have too few documents to show more than noise. */
function mergeSteps(timeline: Timeline, name: LimitName) {
  const row = timeline[timelineFields[name]]
  const perStep = sum(timeline.finished) / row.length
  const stepsPerColumn = Math.max(1, Math.min(Math.ceil(row.length / 6), Math.ceil(8 / perStep)))
  const values = Array.from({ length: Math.ceil(row.length / stepsPerColumn) }, (_, n) =>
    sum(row.slice(n * stepsPerColumn, (n + 1) * stepsPerColumn)),
  )
  return { values, step: timeline.step_ms * stepsPerColumn }
}

/** Returns the mean per minute over the whole run. */
function computeMeanPerMinute(timeline: Timeline, name: LimitName): number {
  const row = timeline[timelineFields[name]]
  return sum(row) / ((row.length * timeline.step_ms) / 60_000)
}

function formatTimeSpan(n: number, step: number): string {
  return `${n === 0 ? '0' : formatMs(n * step)} to ${formatMs((n + 1) * step)}`
}

function formatRounded(value: number): string {
  return formatRoundedCount(value < 10 ? Number(value.toFixed(1)) : value)
}

function formatScale(value: number): string {
  return value < 10_000 ? formatCount(Number(value.toFixed(3))) : formatRoundedCount(value)
}

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
