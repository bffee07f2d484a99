import { hash } from 'node:crypto'
import type { Prompt } from './prompt.ts'
import type { Request } from './request.ts'

type Asked = Omit<Request, 'key' | 'path' | 'attempt'>

/**
 * The key of a request: a SHA-256 (64 hexadecimal digits) of everything that shapes its answer. Two requests with one
 * key would be billed twice for the same question.
 */
export function keyOf(
  { model, maxTokens, effort, thinking, system, user, schema, pdf }: Asked,
  endpoint: string,
): string {
  const parts = [endpoint, model, maxTokens, effort ?? null, thinking ?? null, system ?? null, user]
  const more = [schema, pdf === undefined ? undefined : hash('sha256', pdf.base64)]
  return digest([...parts, ...more.filter((part) => part !== undefined)])
}

/**
 * The recipe of a run: a hash of everything but the document that goes into its keys. A document whose size and time
 * are as they were, asked by the same recipe, has the same key, which nobody needs to work out again.
 */
export function recipeOf(
  { system, user }: Prompt,
  vars: Readonly<Record<string, string>>,
  {
    model,
    maxTokens,
    effort,
    thinking,
    schema,
  }: Pick<Request, 'model' | 'maxTokens' | 'effort' | 'thinking' | 'schema'>,
  endpoint: string,
): string {
  const values = Object.entries(vars).sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = [endpoint, model, maxTokens, effort ?? null, thinking ?? null, system ?? null, user, values]
  return digest(schema === undefined ? parts : [...parts, schema]).slice(0, 16)
}

/** The recipe of documents that are read in a certain way, where it is not simply that of the run. */
export function recipeFor(recipe: string, reading: string): string {
  return digest([recipe, reading]).slice(0, 16)
}

/** A hash of what it is given: 64 hexadecimal digits. */
export function digest(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts))
}
