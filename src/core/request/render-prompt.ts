import { type Document, extractTitle } from '../document/document.ts'
import type { Effort } from '../pricing/models.ts'
import { delimit, sanitizeInline } from './delimit.ts'
import type { Request } from './request.ts'
import type { JsonSchema } from './schema-support.ts'
import { renderTemplate, type Template } from './template.ts'

/** One version of a prompt, read and checked. */
export interface Prompt {
  readonly name: string
  /** `v2`. */
  readonly version: string
  /** Why this version and no other. */
  readonly why: 'requested' | 'pinned' | 'latest'
  readonly description?: string
  /** Where it comes from, for people: `shipped`, or the file's path. */
  readonly origin: string
  readonly system?: Template
  readonly user: Template
  readonly model?: string
  readonly maxTokens?: number
  readonly effort?: Effort
  /** What answers are to fit, as JSON. */
  readonly schema?: JsonSchema
}

/** Placeholders that every template may use, next to those that the user defines. */
export const builtinPlaceholders = ['text', 'path', 'name', 'title'] as const

/** Additional placeholders of a judge's prompt: two texts about the same document. */
export const judgePlaceholders = ['first', 'second'] as const

/** The texts to send for one document: it stands in `{text}`, fenced; see {@link delimit}. */
export function renderPrompt(
  prompt: Prompt,
  { ref: source, text }: Document,
  vars: Readonly<Record<string, string>>,
): Pick<Request, 'system' | 'user'> {
  const values = {
    ...vars,
    text: delimit(text),
    path: sanitizeInline(source.path),
    name: sanitizeInline(source.path.split('/').at(-1) ?? source.path),
    title: sanitizeInline(extractTitle(text)),
  }
  const user = renderTemplate(prompt.user, values)
  return prompt.system === undefined ? { user } : { system: renderTemplate(prompt.system, values), user }
}
