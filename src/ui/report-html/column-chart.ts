import { roundUpToNiceStep } from '../../core/report/distribution.ts'
import { html, type Markup } from './html-template.ts'

/** Columns along an axis of time or size. */
export interface ColumnChart {
  /** Describes the chart for screen readers. */
  readonly label: string
  readonly values: readonly number[]
  /** The tooltip of a column. */
  readonly formatTip: (value: number, index: number) => string
  /** The short label of a grid line. */
  readonly formatScale: (value: number) => string
  readonly axis: readonly AxisMark[]
  /** Marked positions along the axis. */
  readonly marks?: readonly AxisMark[]
  /** A line that the values are compared with. */
  readonly limit?: { readonly value: number; readonly text: string }
  /** Draws no gaps between columns, for continuous values. */
  readonly isContinuous?: boolean
}

/** A position along the axis, from 0 to 1. */
export interface AxisMark {
  readonly at: number
  readonly text: string
}

/**
 * Heights are pixels; positions along the axis are percentages of the width, so that text keeps its size on a
 * phone.
 */
const height = 132
const lineHeight = 16

/** Renders a column chart as SVG. */
export function renderColumnChart(chart: ColumnChart): Markup {
  const { label, values, formatTip, formatScale, axis, marks = [], limit, isContinuous = false } = chart
  const maxValue = values.reduce((most, value) => Math.max(most, value), limit?.value ?? 0)
  const top = lineHeight * (marks.length + 1)
  const y = (value: number) => Number((top + height - (value / maxValue) * height).toFixed(1))
  const gridLines = computeGridLines(maxValue).filter(
    (value) => limit === undefined || Math.abs(y(value) - y(limit.value)) > lineHeight,
  )
  const bars = values.map((value, n) =>
    value > 0
      ? html`<rect x="${n}" y="${-value}" width="${isContinuous ? 1 : 0.86}" height="${value}"><title>${formatTip(value, n)}</title></rect>`
      : undefined,
  )
  return html`<svg class="columns" role="img" aria-label="${label}" width="100%" height="${top + height + lineHeight + 6}">
<svg class="${isContinuous ? 'continuous' : 'separate'}" y="${top}" width="100%" height="${height}" viewBox="0 ${-maxValue || -1} ${values.length} ${maxValue || 1}" preserveAspectRatio="none">${bars}</svg>
${gridLines.map((value) => html`<line class="grid" x2="100%" y1="${y(value)}" y2="${y(value)}"/><text x="0" y="${y(value) - 4}">${formatScale(value)}</text>`)}
${limit && html`<line class="limit" x2="100%" y1="${y(limit.value)}" y2="${y(limit.value)}"/><text class="label" x="100%" text-anchor="end" y="${y(limit.value) - 4}">${limit.text}</text>`}
${marks.map((mark, n) => renderMark(mark, lineHeight * (marks.length - n), top + height))}
<line class="ground" x2="100%" y1="${top + height}" y2="${top + height}"/>
${axis.map(({ at, text }) => html`<text x="${formatPercent(at)}" y="${top + height + lineHeight}" text-anchor="${chooseAnchor(at)}">${text}</text>`)}
</svg>`
}

/**
 * Renders a mark with its own line of text; the last mark's text is on top. Beyond 30 % of the width the text
 * is to the left of its mark, so that it stays inside the chart.
 */
function renderMark({ at, text }: AxisMark, from: number, to: number): Markup {
  const isLeft = at > 0.3
  return html`<line class="mark" x1="${formatPercent(at)}" x2="${formatPercent(at)}" y1="${from - 11}" y2="${to}"/><text class="label" x="${formatPercent(at)}" dx="${isLeft ? -5 : 5}" y="${from - 2}" text-anchor="${isLeft ? 'end' : 'start'}">${text}</text>`
}

function chooseAnchor(at: number): string {
  return at < 0.04 ? 'start' : at > 0.96 ? 'end' : 'middle'
}

function formatPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`
}

/** Returns two to four round values up to the largest. */
function computeGridLines(maxValue: number): number[] {
  if (maxValue <= 0) return []
  // Steps are whole numbers, so small values are counted in billionths.
  const unit = maxValue < 4 && !Number.isInteger(maxValue) ? 1e-9 : 1
  const step = roundUpToNiceStep(maxValue / unit / 4) * unit
  return Array.from({ length: Math.floor(maxValue / step + 1e-9) }, (_, n) => (n + 1) * step)
}
