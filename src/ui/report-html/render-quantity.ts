import { getExact, type Quantity } from '../quantity.ts'
import { html, type Markup } from './html-template.ts'

/** Renders a rounded number whose tooltip is the exact one. */
export function renderQuantity(quantity: Quantity): Markup {
  if (typeof quantity === 'string' || quantity.short === quantity.exact) return html`${getExact(quantity)}`
  return html`<span title="${quantity.exact}">${quantity.short}</span>`
}
