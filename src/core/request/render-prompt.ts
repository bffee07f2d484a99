import { type Document, extractTitle } from '../document/document.ts'
import type { Effort } from '../pricing/models.ts'
import { delimit, sanitizeInline } from './delimit.ts'
import type { Request } from './request.ts'
import type { JsonSchema } from './schema-support.ts'
import { renderTemplate, type Template } from './template.ts'

/** One version of a prompt, parsed and validated. */
export interface Prompt {
  /** The name of its file, without the extension; `prompt` for one in code. */
  readonly name: string
  /** The name of the version, such as `v2`. */
  readonly version: string
  /** Why this version was chosen. */
  readonly why: 'requested' | 'pinned' | 'latest'
  /** What its file says about it. */
  readonly description?: string
  /** Where the prompt comes from, for display: `shipped`, `code`, or the path of its file. */
  readonly origin: string
  /** The system prompt. */
  readonly system?: Template
  /** What to do with a text. */
  readonly user: Template
  /** The model that it sets. */
  readonly model?: string
  /** The maximum output tokens that it sets. */
  readonly maxTokens?: number
  /** The effort that it sets. */
  readonly effort?: Effort
  /** The JSON Schema that replies must match. */
  readonly schema?: JsonSchema
}

/** Placeholders that every template may use, in addition to those that the user defines. */
export const builtinPlaceholders = ['text', 'path', 'name', 'title'] as const

/** Additional placeholders of a judge's prompt: two texts about the same document. */
export const judgePlaceholders = ['first', 'second'] as const

/** Returns the texts to send for a document. `{text}` becomes the document in tags; see {@link delimit}. */
export function renderPrompt(
  prompt: Prompt,
  { ref, text }: Document,
  vars: Readonly<Record<string, string>>,
): Pick<Request, 'system' | 'user'> {
  const values = {
    ...vars,
    text: delimit(text),
    path: sanitizeInline(ref.path),
    name: sanitizeInline(ref.path.split('/').at(-1) ?? ref.path),
    title: sanitizeInline(extractTitle(text)),
  }
  const user = renderTemplate(prompt.user, values)
  return prompt.system === undefined ? { user } : { system: renderTemplate(prompt.system, values), user }
}
