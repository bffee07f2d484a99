import type { ReportJson } from '../../core/report/report-json.ts'
import { formatCount } from '../report-format.ts'
import { renderDocumentFilterLink } from './document-filter-link.ts'
import { html, type Markup } from './html-template.ts'

const maxErrors = 50

/** Renders the errors with their counts and documents, the most frequent first. */
export function renderErrors({ errors }: ReportJson): Markup | undefined {
  if (errors.length === 0) return undefined
  const more = errors.length - maxErrors
  return html`<section><h2>Errors</h2><ul class="errors">${errors.slice(0, maxErrors).map(renderError)}</ul>${
    more > 0 ? html`<p class="note">and ${formatCount(more, 'other error')}</p>` : undefined
  }</section>`
}

function renderError({
  error,
  count,
  transient,
  example_paths: paths,
}: ReportJson['errors'][number]): Markup {
  const more = count - paths.length
  return html`<li><p class="error" dir="auto">${error}</p><p class="note">${formatCount(count, 'document')}, ${transient ? 'retryable' : 'permanent'}: ${paths.map((path, n) => html`${n === 0 ? '' : ', '}${renderDocumentFilterLink(path)}`)}${more > 0 ? ` and ${formatCount(more)} more` : ''}</p></li>`
}
