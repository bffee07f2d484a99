import { html, type Markup } from './html-template.ts'

/** One bar. */
export interface BarRow {
  readonly name: string | Markup
  /** Undefined: unknown, no bar is drawn. */
  readonly value: number | undefined
  readonly text: string
}

/**
 * Renders names with bars as a table, so that screen readers get the numbers.
 * @param maxValue the value of a bar of full length
 */
export function renderBarTable(
  head: readonly [string, string],
  rows: readonly BarRow[],
  maxValue = Math.max(...rows.map(({ value = 0 }) => value)),
): Markup {
  return html`<table class="shares"><thead class="unseen"><tr><th scope="col">${head[0]}</th><th scope="col">${head[1]}</th></tr></thead><tbody>${rows.map(
    ({ name, value = 0, text }) =>
      html`<tr><th scope="row">${name}</th><td>${text}</td><td class="bar" aria-hidden="true"><svg width="100%" height="8"><rect class="track" width="100%" height="8" rx="2"/><rect width="${computeWidth(value, maxValue)}" height="8" rx="2"/></svg></td></tr>`,
  )}</tbody></table>`
}

/** A value above 0 always has a visible bar. */
function computeWidth(value: number, maxValue: number): string {
  return value <= 0 || maxValue <= 0 ? '0' : `${Math.max(0.5, (value / maxValue) * 100).toFixed(1)}%`
}
