import type { ReportGroup } from '../../core/report/report-json.ts'
import { formatRoundedCount, formatRoundedUsd } from '../quantity.ts'
import { formatCost, formatCount } from '../report-format.ts'
import { type AxisMark, renderColumnChart } from './column-chart.ts'
import { html, type Markup } from './html-template.ts'

const dayMs = 86_400_000

/** Days. More columns cannot be distinguished, and one wrong date would create millions of them. */
const maxColumns = 1100

/**
 * Renders the cost of each day (UTC), including days without runs unless there are too many days.
 * @param simulated whether nothing was spent, so that costs are marked
 */
export function renderCostByDay(
  days: readonly ReportGroup[],
  isPriced: boolean,
  simulated: boolean,
): Markup | undefined {
  const groups = days.filter((group) => Number.isFinite(toDayNumber(group)))
  const formatValue = (group: ReportGroup) =>
    isPriced ? formatCost({ ...group, simulated }) : `${formatCount(getValue(group, false))} tokens`
  if (groups.length < 2) return undefined
  const shown = buildColumns(groups)
  const values = shown.map(({ group }) => (group === undefined ? 0 : getValue(group, isPriced)))
  const highest = groups.reduce((most, group) =>
    getValue(group, isPriced) > getValue(most, isPriced) ? group : most,
  )
  const words = `${formatValue(highest)} on ${highest.name}, the highest`
  const title = isPriced ? 'Cost by day' : 'Tokens by day'
  const chart = renderColumnChart({
    label: `${title}, from ${groups[0]?.name} to ${groups.at(-1)?.name}: ${words}.`,
    values,
    formatTip: (_, n) => {
      const group = shown[n]?.group
      return group === undefined
        ? ''
        : `${group.name}: ${formatValue(group)}, ${formatCount(group.summarized)} summarized`
    },
    formatScale: isPriced ? formatRoundedUsd : formatRoundedCount,
    axis: buildDateAxis(shown.map(({ name }) => name)),
  })
  return html`<figure class="wide"><figcaption><h3>By day (UTC)</h3><p>${words}</p></figcaption>${chart}</figure>`
}

function toDayNumber({ name }: ReportGroup): number {
  return Math.round(Date.parse(name) / dayMs)
}

function getValue(group: ReportGroup, isPriced: boolean): number {
  return isPriced ? (group.cost_usd ?? 0) : group.input_tokens + group.output_tokens
}

interface Column {
  /** The date. */
  readonly name: string
  /** Undefined on days without runs. */
  readonly group: ReportGroup | undefined
}

/**
 * Returns a column for each day from the first to the last; if there are too many, for the last days that
 * have a group.
 */
function buildColumns(groups: readonly ReportGroup[]): Column[] {
  const first = groups.reduce((least, group) => Math.min(least, toDayNumber(group)), Number.POSITIVE_INFINITY)
  const last = groups.reduce((most, group) => Math.max(most, toDayNumber(group)), Number.NEGATIVE_INFINITY)
  if (last - first >= maxColumns)
    return groups.slice(-maxColumns).map((group) => ({ name: group.name, group }))
  const byDayNumber = new Map(groups.map((group) => [toDayNumber(group), group]))
  return Array.from({ length: last - first + 1 }, (_, n) => ({
    name: new Date((first + n) * dayMs).toISOString().slice(0, 10),
    group: byDayNumber.get(first + n),
  }))
}

/** Returns up to five dates, each under the middle of its column. */
function buildDateAxis(names: readonly string[]): AxisMark[] {
  const count = names.length
  const step = Math.max(1, Math.ceil(count / 5))
  return Array.from({ length: Math.ceil(count / step) }, (_, n) => ({
    at: (n * step + 0.5) / count,
    text: (names[n * step] ?? '').slice(5),
  }))
}
