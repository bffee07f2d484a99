import { escapeControlChars } from '../../core/text/escape-control-chars.ts'

/** Text that is HTML or SVG already. Only `html` creates it; all other text is escaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type MarkupValue = string | number | Markup | undefined | readonly (Markup | undefined)[]

/**
 * Returns a template as HTML or SVG with escaped values, which are safe between tags and in double-quoted
 * attributes. Control and bidi characters are made visible. Undefined becomes nothing.
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

/** Returns JSON that is safe inside a `<script>`: it cannot contain `</script>`. */
export function stringifyForScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
