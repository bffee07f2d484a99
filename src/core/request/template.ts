/** The literal texts and placeholders of a prompt, in order. */
export type Template = readonly (string | { readonly slot: string })[]

/** A syntax error in a template, at `offset` characters from its start. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/**
 * Parses a template such as `Summarize {text} for {audience}`. `{{` and `}}` are literal braces. Any other
 * brace outside a placeholder is an error, so that a typo is not sent as text.
 * @throws TemplateError
 */
export function parseTemplate(text: string): Template {
  const parts: (string | { slot: string })[] = []
  let literal = ''
  for (const match of text.matchAll(/\{\{|\}\}|\{([a-z_][a-z0-9_-]*)\}|[{}]|[^{}]+/gi)) {
    const [piece, slot] = match
    if (slot !== undefined) {
      if (literal !== '') parts.push(literal)
      literal = ''
      parts.push({ slot })
    } else if (piece === '{' || piece === '}') {
      throw new TemplateError(`a lone ${piece} (write ${piece}${piece} for a literal brace)`, match.index)
    } else {
      literal += piece === '{{' ? '{' : piece === '}}' ? '}' : piece
    }
  }
  if (literal !== '') parts.push(literal)
  return parts
}

/** Returns the template as text that {@link parseTemplate} reads. */
export function formatTemplate(template: Template): string {
  return template
    .map((part) => (typeof part === 'string' ? part.replace(/[{}]/g, '$&$&') : `{${part.slot}}`))
    .join('')
}

/** Returns the names of the placeholders, each once, in order. */
export function listPlaceholders(template: Template): string[] {
  return [...new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.slot])))]
}

/** Fills in the placeholders in one pass, so that a value is never read as a placeholder or a pattern. */
export function renderTemplate(template: Template, values: Readonly<Record<string, string>>): string {
  return template.map((part) => (typeof part === 'string' ? part : (values[part.slot] ?? ''))).join('')
}
