import { type LimitName, limitNames, limitWords } from '../../core/rate-limit/limiter-state.ts'
import type { ReportFile } from '../../core/report/report-json.ts'
import type { Timeline } from '../../core/report/timeline.ts'
import { counted, ms } from '../report-words.ts'
import { columns } from './columns.ts'
import { html, type Markup } from './html-template.ts'
import { timeAxis } from './time-axis.ts'

/** So few documents make no curve. */
const fewest = 20

/** How fast a run was over time, beside the limit that was nearest, and how much was under way. */
export function pace({ timeline, runs: [run] }: ReportFile): Markup | undefined {
  if (timeline === null || run === undefined || sum(timeline.finished) < fewest) return undefined
  const limits = run.limits ?? {}
  const nearest = limitNames
    .filter((name) => limits[name] !== undefined)
    .sort((a, b) => mean(timeline, b) / (limits[b] ?? 1) - mean(timeline, a) / (limits[a] ?? 1))
  const [second] = nearest
  const shown: LimitName[] =
    second === undefined || second === 'requests' ? ['requests'] : ['requests', second]
  return html`<section><h2>Pace</h2><div class="pair">${shown.map((name) => rate(timeline, name, limits[name]))}${inFlight(timeline, run.most_in_flight)}</div></section>`
}

function rate(timeline: Timeline, name: LimitName, limit: number | undefined): Markup {
  const { values, step } = coarser(timeline, name)
  const perMinute = values.map((value) => (value / step) * 60_000)
  const most = Math.max(...perMinute)
  const average = mean(timeline, name)
  const what = name === 'requests' ? 'documents' : limitWords[name]
  const title =
    name === 'requests'
      ? 'Documents finished per minute'
      : `${what[0]?.toUpperCase()}${what.slice(1)} per minute`
  const words = `${few(average)} a minute on average${beside(average, limit)}`
  return figure(title, words, {
    label: `${title} over the run: ${words}, at most ${few(most)}.`,
    values: perMinute,
    tip: (value, n) => `${span(n, step)}: ${few(value)} ${what} a minute`,
    // A limit that is far away would leave nothing of the columns.
    ...(limit !== undefined && limit < 3 * most && { limit: { value: limit, text: `limit ${few(limit)}` } }),
    step,
  })
}

function inFlight(timeline: Timeline, most: number | null): Markup {
  const { step_ms: step, in_flight: values } = timeline
  const average = Number((sum(values) / values.length).toFixed(1))
  const words = `${counted(average)} on average${most === null ? '' : `, ${counted(most)} at most`}`
  return figure('Requests in flight', words, {
    label: `Requests in flight over the run: ${words}.`,
    values,
    tip: (value, n) => `${span(n, step)}: ${counted(value)} in flight`,
    joined: true,
    step,
  })
}

function figure(
  title: string,
  words: string,
  { step, ...chart }: Omit<Parameters<typeof columns>[0], 'axis' | 'scale'> & { readonly step: number },
): Markup {
  const axis = timeAxis(chart.values.length * step)
  return html`<figure><figcaption><h3>${title}</h3><p>${words}</p></figcaption>${columns({ ...chart, axis, scale })}</figure>`
}

function beside(average: number, limit: number | undefined): string {
  if (limit === undefined) return ''
  // The service lets a full minute's worth through at the start.
  if (average > limit) return `, above the limit of ${few(limit)}, as a short run may be`
  return `, ${Math.round((average / limit) * 100)} % of the limit of ${few(limit)}`
}

const rows = { requests: 'finished', inputTokens: 'tokens_in', outputTokens: 'tokens_out' } as const

/** Fewer, wider steps where a step has so few documents that chance is all that would be seen. */
function coarser(timeline: Timeline, name: LimitName) {
  const row = timeline[rows[name]]
  const perStep = sum(timeline.finished) / row.length
  const times = Math.max(1, Math.min(Math.ceil(row.length / 6), Math.ceil(8 / perStep)))
  const values = Array.from({ length: Math.ceil(row.length / times) }, (_, n) =>
    sum(row.slice(n * times, (n + 1) * times)),
  )
  return { values, step: timeline.step_ms * times }
}

/** Per minute, over the whole run. */
function mean(timeline: Timeline, name: LimitName): number {
  const row = timeline[rows[name]]
  return sum(row) / ((row.length * timeline.step_ms) / 60_000)
}

function span(n: number, step: number): string {
  return `${n === 0 ? '0' : ms(n * step)} to ${ms((n + 1) * step)}`
}

function few(value: number): string {
  return counted(value < 10 ? Number(value.toFixed(1)) : Math.round(value))
}

function scale(value: number): string {
  return counted(Number(value.toFixed(3)))
}

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
