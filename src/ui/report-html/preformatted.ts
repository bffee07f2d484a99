import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { html, Markup } from './html-template.ts'

/** Renders a text with its line breaks. Control and bidi characters are made visible. */
export function renderPreformatted(text: string): Markup {
  const escaped = escapeControlChars(text.replaceAll('\r\n', '\n'), '\n\t')
    .split('\n')
    .map((line) => html`${line}`.text)
  return html`<pre dir="auto">${new Markup(escaped.join('\n'))}</pre>`
}
