import { roundUpToNiceStep } from '../../core/report/distribution.ts'
import { html, type Markup } from './html-template.ts'

/** Columns beside each other along an axis of time or size. */
export interface ColumnChart {
  /** What is to be seen, for those who cannot. */
  readonly label: string
  readonly values: readonly number[]
  /** What one column means, shown to whoever points at it. */
  readonly formatTip: (value: number, index: number) => string
  /** A value in few words, beside its line. */
  readonly formatScale: (value: number) => string
  readonly axis: readonly AxisMark[]
  /** Places of note along the axis. */
  readonly marks?: readonly AxisMark[]
  /** What the values are held against. */
  readonly limit?: { readonly value: number; readonly text: string }
  /** Without gaps: what goes on without a break. */
  readonly isContinuous?: boolean
}

/** A place along the axis, from 0 to 1. */
export interface AxisMark {
  readonly at: number
  readonly text: string
}

/** All heights are pixels; along the axis everything is a share of the width, so that words keep their size on a phone. */
const height = 132
const lineHeight = 16

/** A column chart, as SVG. */
export function renderColumnChart(chart: ColumnChart): Markup {
  const {
    label,
    values,
    formatTip: tip,
    formatScale: scale,
    axis,
    marks = [],
    limit,
    isContinuous: joined = false,
  } = chart
  const maxValue = values.reduce((most, value) => Math.max(most, value), limit?.value ?? 0)
  const top = lineHeight * (marks.length + 1)
  const y = (value: number) => Number((top + height - (value / maxValue) * height).toFixed(1))
  const gridLines = computeGridLines(maxValue).filter(
    (value) => limit === undefined || Math.abs(y(value) - y(limit.value)) > lineHeight,
  )
  const bars = values.map((value, n) =>
    value > 0
      ? html`<rect x="${n}" y="${-value}" width="${joined ? 1 : 0.86}" height="${value}"><title>${tip(value, n)}</title></rect>`
      : undefined,
  )
  return html`<svg class="columns" role="img" aria-label="${label}" width="100%" height="${top + height + lineHeight + 6}">
<svg class="${joined ? 'joined' : 'apart'}" y="${top}" width="100%" height="${height}" viewBox="0 ${-maxValue || -1} ${values.length} ${maxValue || 1}" preserveAspectRatio="none">${bars}</svg>
${gridLines.map((value) => html`<line class="grid" x2="100%" y1="${y(value)}" y2="${y(value)}"/><text x="0" y="${y(value) - 4}">${scale(value)}</text>`)}
${limit && html`<line class="limit" x2="100%" y1="${y(limit.value)}" y2="${y(limit.value)}"/><text class="told" x="100%" text-anchor="end" y="${y(limit.value) - 4}">${limit.text}</text>`}
${marks.map((mark, n) => renderMark(mark, lineHeight * (marks.length - n), top + height))}
<line class="ground" x2="100%" y1="${top + height}" y2="${top + height}"/>
${axis.map(({ at, text }) => html`<text x="${formatPercent(at)}" y="${top + height + lineHeight}" text-anchor="${chooseAnchor(at)}">${text}</text>`)}
</svg>`
}

/** Each has a line of words of its own, the last place the topmost: words go to the left, past where lines begin. */
function renderMark({ at, text }: AxisMark, from: number, to: number): Markup {
  const isLeft = at > 0.3
  return html`<line class="mark" x1="${formatPercent(at)}" x2="${formatPercent(at)}" y1="${from - 11}" y2="${to}"/><text class="told" x="${formatPercent(at)}" dx="${isLeft ? -5 : 5}" y="${from - 2}" text-anchor="${isLeft ? 'end' : 'start'}">${text}</text>`
}

function chooseAnchor(at: number): string {
  return at < 0.04 ? 'start' : at > 0.96 ? 'end' : 'middle'
}

function formatPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`
}

/** Two to four round numbers up to the largest. */
function computeGridLines(maxValue: number): number[] {
  if (maxValue <= 0) return []
  // The steps are whole: small values are counted in billionths.
  const unit = maxValue < 4 && !Number.isInteger(maxValue) ? 1e-9 : 1
  const step = roundUpToNiceStep(maxValue / unit / 4) * unit
  return Array.from({ length: Math.floor(maxValue / step + 1e-9) }, (_, n) => (n + 1) * step)
}
