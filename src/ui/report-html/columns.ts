import { niceStep } from '../../core/report/distribution.ts'
import { html, type Markup } from './html-template.ts'

/** Columns beside each other along an axis of time or size. */
export interface Columns {
  /** What is to be seen, for those who cannot. */
  readonly label: string
  readonly values: readonly number[]
  /** What one column means, shown to whoever points at it. */
  readonly tip: (value: number, index: number) => string
  /** A value in few words, beside its line. */
  readonly scale: (value: number) => string
  readonly axis: readonly Mark[]
  /** Places of note along the axis. */
  readonly marks?: readonly Mark[]
  /** What the values are held against. */
  readonly limit?: { readonly value: number; readonly text: string }
  /** Without gaps: what goes on without a break. */
  readonly joined?: boolean
}

/** A place along the axis, from 0 to 1. */
export interface Mark {
  readonly at: number
  readonly text: string
}

/** All heights are pixels; along the axis everything is a share of the width, so that words keep their size on a phone. */
const height = 132
const line = 16

/** A column chart, as SVG. */
export function columns(chart: Columns): Markup {
  const { label, values, tip, scale, axis, marks = [], limit, joined = false } = chart
  const most = values.reduce((most, value) => Math.max(most, value), limit?.value ?? 0)
  const top = line * (marks.length + 1)
  const y = (value: number) => Number((top + height - (value / most) * height).toFixed(1))
  const lines = scaleFor(most).filter(
    (value) => limit === undefined || Math.abs(y(value) - y(limit.value)) > line,
  )
  const bars = values.map((value, n) =>
    value > 0
      ? html`<rect x="${n}" y="${-value}" width="${joined ? 1 : 0.86}" height="${value}"><title>${tip(value, n)}</title></rect>`
      : undefined,
  )
  return html`<svg class="columns" role="img" aria-label="${label}" width="100%" height="${top + height + line + 6}">
<svg class="${joined ? 'joined' : 'apart'}" y="${top}" width="100%" height="${height}" viewBox="0 ${-most || -1} ${values.length} ${most || 1}" preserveAspectRatio="none">${bars}</svg>
${lines.map((value) => html`<line class="grid" x2="100%" y1="${y(value)}" y2="${y(value)}"/><text x="0" y="${y(value) - 4}">${scale(value)}</text>`)}
${limit && html`<line class="limit" x2="100%" y1="${y(limit.value)}" y2="${y(limit.value)}"/><text class="told" x="100%" text-anchor="end" y="${y(limit.value) - 4}">${limit.text}</text>`}
${marks.map((mark, n) => markAt(mark, line * (marks.length - n), top + height))}
<line class="ground" x2="100%" y1="${top + height}" y2="${top + height}"/>
${axis.map(({ at, text }) => html`<text x="${percent(at)}" y="${top + height + line}" text-anchor="${anchor(at)}">${text}</text>`)}
</svg>`
}

/** Each has a line of words of its own, the last place the topmost: words go to the left, past where lines begin. */
function markAt({ at, text }: Mark, from: number, to: number): Markup {
  const left = at > 0.3
  return html`<line class="mark" x1="${percent(at)}" x2="${percent(at)}" y1="${from - 11}" y2="${to}"/><text class="told" x="${percent(at)}" dx="${left ? -5 : 5}" y="${from - 2}" text-anchor="${left ? 'end' : 'start'}">${text}</text>`
}

function anchor(at: number): string {
  return at < 0.04 ? 'start' : at > 0.96 ? 'end' : 'middle'
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`
}

/** Two to four round numbers up to the largest. */
function scaleFor(most: number): number[] {
  if (most <= 0) return []
  // The steps are whole: small values are counted in billionths.
  const unit = most < 4 && !Number.isInteger(most) ? 1e-9 : 1
  const step = niceStep(most / unit / 4) * unit
  return Array.from({ length: Math.floor(most / step + 1e-9) }, (_, n) => (n + 1) * step)
}
