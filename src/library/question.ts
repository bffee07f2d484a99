import type { JsonSchema } from '../core/request/schema-support.ts'
import { findUnsupported } from '../core/request/schema-support.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { isPromise } from './check-arguments.ts'
import { copySchema } from './schema-data.ts'

/** A prompt: a text, or a text with a system prompt. They are sent unchanged. */
export type Question = string | QuestionFields

/** The texts of a prompt. */
export interface QuestionFields<Schema = undefined> {
  /** The system prompt. */
  readonly system?: string | undefined
  /** The message. */
  readonly user: string
  /** The JSON Schema of draft 2020-12 that the answer must match. */
  readonly schema?: Schema
}

/** A prompt whose answer is JSON that matches a schema. */
export interface SchemaQuestion<Schema = object> extends QuestionFields<Schema> {
  /** The JSON Schema of draft 2020-12 that the answer must match. */
  readonly schema: Schema
}

/** A question that has been checked. */
export interface CheckedQuestion {
  readonly user: string
  readonly system?: string
  readonly schema?: JsonSchema
}

/** Checks a question. @throws TypeError that says what is wrong with it */
export function checkQuestion(caller: string, question: unknown): CheckedQuestion {
  const fail = (message: string): never => {
    throw new TypeError(`${caller}: ${message}`)
  }
  if (isPromise(question)) fail('prompt is a promise; did you forget `await`?')
  const fields: unknown = typeof question === 'string' ? { user: question } : question
  const { system, user, schema, ...unknownFields } = Object(fields) as Record<string, unknown>
  if (Array.isArray(user)) fail('prompt has a placeholder for texts; pass it to summarizeAll')
  const [unknown] = Object.keys(unknownFields)
  if (typeof user !== 'string' || user.trim() === '')
    return fail('prompt must be a non-empty text or { system, user }')
  if (unknown !== undefined) fail(`unknown prompt field ${unknown}; expected { system, user, schema }`)
  if (system !== undefined && typeof system !== 'string') return fail('prompt: system must be a text')
  const ownSchema = schema === undefined ? undefined : copySchema(`${caller}: prompt`, schema)
  const unsupported = schema === undefined ? undefined : findUnsupported(ownSchema)
  if (unsupported !== undefined) fail(`prompt: schema: ${unsupported}`)
  return {
    user: replaceLoneSurrogates(user),
    ...(system !== undefined && { system: replaceLoneSurrogates(system) }),
    ...(schema !== undefined && { schema: ownSchema as JsonSchema }),
  }
}
