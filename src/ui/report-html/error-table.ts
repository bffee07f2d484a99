import type { ReportFile } from '../../core/report/report-json.ts'
import { counted } from '../report-words.ts'
import { html, type Markup } from './html-template.ts'
import { wherein } from './wherein.ts'

const mostErrors = 50

/** What went wrong, how often and where; the most frequent first. */
export function errors({ errors }: ReportFile): Markup | undefined {
  if (errors.length === 0) return undefined
  const more = errors.length - mostErrors
  return html`<section><h2>Errors</h2><ul class="errors">${errors.slice(0, mostErrors).map(error)}</ul>${
    more > 0 ? html`<p class="note">and ${counted(more, 'other error')}</p>` : undefined
  }</section>`
}

function error({ error, count, transient, paths }: ReportFile['errors'][number]): Markup {
  const more = count - paths.length
  return html`<li><p class="error" dir="auto">${error}</p><p class="note">${counted(count, 'document')}, ${
    transient
      ? 'worth running again'
      : count === 1
        ? 'will fail again as it is'
        : 'will fail again as they are'
  }: ${paths.map((path, n) => html`${n === 0 ? '' : ', '}${wherein(path)}`)}${more > 0 ? ` and ${counted(more)} more` : ''}</p></li>`
}
