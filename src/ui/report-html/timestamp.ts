import { formatTimestamp } from '../report-format.ts'
import { html, type Markup } from './html-template.ts'

/**
 * Renders a time in UTC. `assets/pages/local-times.js` replaces it by the time in the reader's time zone.
 * @param time ISO 8601
 */
export function renderTimestamp(time: string): Markup {
  return html`<time datetime="${time}">${formatTimestamp(time)}</time>`
}
