import { truncate } from '../core/text/truncate.ts'
/** What a client may ask: a prompt of its own, or a text to be put into one of the server's. */
export type Question = { readonly prompt: string } | { readonly text: string; readonly prompt?: string }

/** The body of a request is not what it should be; the message says what it should be. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError'
}

/** Reads a request's body. Nothing of it is taken over but the fields that are known. @throws QuestionError */
export function parseQuestion(body: string): Question {
  const fields = parseJson(body)
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new QuestionError(expectedShape)
  const unknown = Object.keys(fields).find((name) => name !== 'prompt' && name !== 'text')
  if (unknown !== undefined)
    throw new QuestionError(`there is no field ${JSON.stringify(truncate(unknown, 40))}; ${expectedShape}`)
  const { prompt, text } = fields as { prompt?: unknown; text?: unknown }
  if (text === undefined && isNonEmptyText(prompt)) return { prompt }
  if (!isNonEmptyText(text)) throw new QuestionError(expectedShape)
  if (prompt === undefined) return { text }
  // A name, not a path: nothing a client sends is ever looked for on this machine's disk by its own word.
  if (typeof prompt !== 'string' || !/^[a-z0-9][\w-]{0,63}(@v\d{1,6})?$/i.test(prompt))
    throw new QuestionError(
      '"prompt" beside "text" is the name of a prompt, like "summarize" or "summarize@v2"',
    )
  return { text, prompt }
}

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
