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
  /** Whether replies must cite the document. */
  readonly citations?: boolean
}

/** Placeholders that every template may use, in addition to those that the user defines. */
export const builtinPlaceholders = ['text', 'path', 'name', 'title'] as const

/** Additional placeholders of a judge's prompt: two texts about the same document. */
export const judgePlaceholders = ['first', 'second'] as const

/** Returns how many times a template contains the document. */
export function countDocuments(template: Template): number {
  return template.filter((part) => typeof part !== 'string' && part.slot === 'text').length
}

/** Returns the texts to send for a document. `{text}` becomes the document in tags; see {@link delimit}. */
export function renderPrompt(
  prompt: Prompt,
  document: Document,
  vars: Readonly<Record<string, string>>,
): Pick<Request, 'system' | 'user' | 'citable'> {
  const { ref, text } = document
  const values = {
    ...vars,
    text: delimit(text),
    path: sanitizeInline(ref.path),
    name: sanitizeInline(ref.path.split('/').at(-1) ?? ref.path),
    title: sanitizeInline(extractTitle(text)),
  }
  const system = prompt.system && renderTemplate(prompt.system, values)
  return {
    ...(system !== undefined && { system }),
    ...(prompt.citations ? renderCited(prompt, values, document) : renderWhole(prompt, values)),
  }
}

function renderWhole({ user }: Prompt, values: Readonly<Record<string, string>>): Pick<Request, 'user'> {
  return { user: renderTemplate(user, values) }
}

/**
 * Returns the text of the user and the document, which is sent next to it. An uploaded PDF is cited itself, and the
 * text only refers to it. Images cannot be cited. It is sent without a title, so that
 * a copy of a document, or one that was moved, has the same request.
 */
function renderCited(
  prompt: Prompt,
  values: Readonly<Record<string, string>>,
  { text, blocks, upload }: Document,
): Pick<Request, 'user' | 'citable'> {
  const { user } = prompt
  if (upload?.type === 'images') return renderWhole(prompt, values)
  if (upload?.type === 'pdf' && !upload.isPartial)
    return { ...renderWhole(prompt, values), citable: { offset: 0 } }
  const content = { text, ...(blocks && { blocks }) }
  const place = user.findIndex((part) => typeof part !== 'string' && part.slot === 'text')
  const before = renderTemplate(user.slice(0, place), values).trimEnd()
  const after = renderTemplate(user.slice(place + 1), values).trimStart()
  return { user: before + after, citable: { ...content, offset: before.length } }
}
