import { truncate } from '../core/text/truncate.ts'

/** A client's question: its own prompt, or a text for one of the server's prompts. */
export type Question = ({ readonly prompt: string } | { readonly text: string; readonly prompt?: string }) & {
  /** Whether the last event names the model, the prompt and the cost. */
  readonly details?: boolean
}

/** The error for an invalid request body; the message describes the expected form. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError'
}

/** Parses a request body; rejects unknown fields. @throws QuestionError */
export function parseQuestion(body: string): Question {
  const fields = parseJson(body)
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new QuestionError(expectedShape)
  const unknown = Object.keys(fields).find((name) => !knownFields.has(name))
  if (unknown !== undefined)
    throw new QuestionError(`unknown field ${JSON.stringify(truncate(unknown, 40))}; ${expectedShape}`)
  const { prompt, text, details } = fields as { prompt?: unknown; text?: unknown; details?: unknown }
  if (details !== undefined && typeof details !== 'boolean')
    throw new QuestionError('"details" must be true or false')
  const wish = details === true ? ({ details } as const) : {}
  if (text === undefined && isNonEmptyText(prompt)) return { prompt, ...wish }
  if (!isNonEmptyText(text)) throw new QuestionError(expectedShape)
  if (prompt === undefined) return { text, ...wish }
  // Only names are accepted, not paths, so that a client cannot make the server read other files.
  if (typeof prompt !== 'string' || !/^[a-z0-9][\w-]{0,63}(@v\d{1,6})?$/i.test(prompt))
    throw new QuestionError(
      '"prompt" together with "text" must be the name of a prompt, like "summarize" or "summarize@v2"',
    )
  return { text, prompt, ...wish }
}

const knownFields = new Set(['prompt', 'text', 'details'])
const expectedShape = 'expected {"prompt": "…"} or {"text": "…", "prompt": "summarize@v2"}'

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    throw new QuestionError(`the body is not JSON; ${expectedShape}`)
  }
}

function isNonEmptyText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}
