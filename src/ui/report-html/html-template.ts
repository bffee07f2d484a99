import { escapeControlChars } from '../../core/text/escape-control-chars.ts'

/** Text that is HTML or SVG already. Only `html` makes it: everything else is text, and is escaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type MarkupValue = string | number | Markup | undefined | readonly (Markup | undefined)[]

/**
 * HTML or SVG as it is written, with values that stay text wherever they are put: between tags, or in an attribute in
 * double quotes. Control characters and marks that reorder text are made visible. Undefined is nothing.
 */
export function html(parts: TemplateStringsArray, ...values: MarkupValue[]): Markup {
  return new Markup(
    parts.map((part, n) => part + (n < values.length ? toMarkupText(values[n]) : '')).join(''),
  )
}

function toMarkupText(value: MarkupValue): string {
  if (value === undefined) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(toMarkupText).join('')
  return escapeHtml(String(value))
}

function escapeHtml(text: string): string {
  return escapeControlChars(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** JSON that may stand within a `<script>`: nothing in it can end that. */
export function stringifyForScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
