import type { Effort } from '../core/pricing/models.ts'
import type * as core from '../core/request/render-prompt.ts'
import type { JsonSchema } from '../core/request/schema-support.ts'
import { buildPrompt, findUnusedVar } from '../inputs/prompts/build-prompt.ts'
import { checkNames, checkVars, isPromise } from './check-arguments.ts'
import { checkModelSettings } from './client-options.ts'
import { fillSlots } from './fill-slots.ts'
import { copySchema, type SchemaData } from './schema-data.ts'

declare const dataType: unique symbol

/**
 * A prompt from `loadPrompt` or `definePrompt`. `Data` is the type of the data that its schema describes; undefined
 * without a schema.
 */
export interface Prompt<Data = unknown> extends core.Prompt {
  /** @internal */
  readonly [dataType]?: Data
}

/** The fields of a prompt in code. They mean the same as in a prompt file. */
export interface PromptFields<Schema = object | undefined> {
  /** What to do with a text. Must contain the placeholder `{text}`; `{{` and `}}` are braces. */
  readonly user: string
  /** The system prompt, which may have placeholders too. */
  readonly system?: string | undefined
  /** The model, unless the client or the call sets one. */
  readonly model?: string | undefined
  /** Maximum output tokens of an answer, including thinking, unless the client or the call sets them. */
  readonly maxTokens?: number | undefined
  /** Effort level of the model, unless the client or the call sets one. */
  readonly effort?: Effort | undefined
  /** The JSON Schema of draft 2020-12 that answers must match. Outcomes then have `data`. */
  readonly schema?: Schema
  /**
   * Whether outcomes have `citations`: the passages of the text that support its summary, each looked up in the text.
   */
  readonly citations?: boolean | undefined
  /** Values for the placeholders that the prompt defines in addition to the built-in ones. */
  readonly vars?: Readonly<Record<string, string>> | undefined
}

/** The fields of a prompt whose answers are JSON that matches a schema. */
export interface SchemaPromptFields<Schema = object> extends PromptFields<Schema> {
  /** The JSON Schema of draft 2020-12 that answers must match. */
  readonly schema: Schema
}

/**
 * Returns a prompt for `summarizeAll`, as `loadPrompt` does, without a file. The type of its data is derived from a
 * schema that is written in place; `definePrompt<Data>(…)` sets it.
 * @param fields the texts with their placeholders, and settings
 * @throws TypeError that names the field or the placeholder without a value
 */
export function definePrompt<const Schema extends JsonSchema>(
  fields: SchemaPromptFields<Schema>,
): Prompt<SchemaData<Schema>>
export function definePrompt<Data>(fields: SchemaPromptFields): Prompt<Data>
export function definePrompt(fields: PromptFields<undefined>): Prompt<undefined>
export function definePrompt(fields: PromptFields): Prompt {
  const caller = 'definePrompt'
  const fail = (message: string): never => {
    throw new TypeError(`${caller}: ${message}`)
  }
  checkNames(caller, fields, [
    'user',
    'system',
    'model',
    'maxTokens',
    'effort',
    'schema',
    'citations',
    'vars',
  ])
  const { user, system, model, maxTokens, effort, schema, citations, vars = {} } = fields
  checkModelSettings(caller, { model, maxTokens, effort })
  checkVars(caller, vars)
  const prompt = buildPrompt(
    {
      user,
      system,
      description: undefined,
      model,
      maxTokens,
      effort,
      schema: schema === undefined ? undefined : copySchema(caller, schema),
      citations,
    },
    { vars: Object.keys(vars), varSetting: 'vars:', fail },
  )
  const unused = findUnusedVar([prompt], Object.keys(vars))
  if (unused !== undefined) fail(`vars: ${unused}: the prompt has no placeholder {${unused}}`)
  return fillSlots({ name: 'prompt', version: 'v1', origin: 'code', why: 'latest', ...prompt }, vars)
}

/** Checks the option `prompt`. @throws TypeError that says what it is instead */
export function checkPrompt(caller: string, prompt: unknown): void {
  if (prompt === undefined) return
  const fail = (message: string): never => {
    throw new TypeError(`${caller}: prompt ${message}`)
  }
  if (isPromise(prompt)) fail('is a promise; did you forget `await` before loadPrompt?')
  if (typeof prompt === 'string') fail("is a text; use await loadPrompt('name') or definePrompt({ user })")
  const { user, system = [], schema, ...settings } = Object(prompt) as Partial<core.Prompt>
  if (typeof user === 'string') fail('is not checked; pass it to definePrompt')
  if (!isTemplate(user) || !isTemplate(system)) fail('must be a prompt from loadPrompt or definePrompt')
  checkModelSettings(`${caller}: prompt`, {
    model: settings.model,
    maxTokens: settings.maxTokens,
    effort: settings.effort,
  })
  if (schema !== undefined) copySchema(`${caller}: prompt`, schema)
}

function isTemplate(value: unknown): boolean {
  const isPart = (part: unknown) =>
    typeof part === 'string' || typeof (part as { slot?: unknown } | null)?.slot === 'string'
  return Array.isArray(value) && value.every(isPart)
}
