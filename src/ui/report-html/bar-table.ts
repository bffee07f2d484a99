import { html, type Markup } from './html-template.ts'

/** A part of a whole, or one of several that are compared. */
export interface BarRow {
  readonly name: string | Markup
  /** Undefined has no bar: it is not known. */
  readonly value: number | undefined
  readonly text: string
}

/**
 * Names with bars beside each other, as a table: the numbers are there for everybody.
 * @param maxValue the value of a bar that is as long as can be
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

/** What is there is seen, however small. */
function computeWidth(value: number, maxValue: number): string {
  return value <= 0 || maxValue <= 0 ? '0' : `${Math.max(0.5, (value / maxValue) * 100).toFixed(1)}%`
}
