import { type Effort, efforts, findModel, resolveModelAlias } from '../../core/pricing/models.ts'
import { builtinPlaceholders, countDocuments, type Prompt } from '../../core/request/render-prompt.ts'
import { findUnsupported, type JsonSchema } from '../../core/request/schema-support.ts'
import { listPlaceholders, parseTemplate, type Template, TemplateError } from '../../core/request/template.ts'

/** The fields of a prompt as a file or a program gives them: values of any type, undefined if missing. */
export interface PromptFields<Value = unknown> {
  readonly user: Value
  readonly system: Value
  readonly description: Value
  readonly model: Value
  readonly maxTokens: Value
  readonly effort: Value
  readonly schema: Value
  readonly citations: Value
}

export interface BuildPromptOptions {
  /** The names of fields in messages, where they differ. */
  readonly names?: Partial<PromptFields<string>>
  /** The version in messages; undefined if there is only one. */
  readonly version?: string
  /** Names of allowed placeholders besides the built-in ones; undefined allows any. */
  readonly vars: readonly string[] | undefined
  /** The name of the setting for the user's variables in messages. */
  readonly varSetting: string
  /** Throws the error for a field, or for the whole prompt. */
  readonly fail: (message: string, field?: keyof PromptFields) => never
}

/** Checks the fields of a prompt, and parses its templates. */
export function buildPrompt(
  fields: PromptFields,
  { names = {}, version, vars, varSetting, fail }: BuildPromptOptions,
): Omit<Prompt, 'name' | 'version' | 'origin' | 'why'> {
  const toName = (key: keyof PromptFields) => `\`${names[key] ?? key}\``
  const owner = version === undefined ? '' : ` of ${version}`
  const text = (key: keyof PromptFields) => {
    const value = fields[key]
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value.trim() === '')
      return fail(`${toName(key)}${owner} must be a text`, key)
    return value
  }
  const template = (key: 'user' | 'system', builtin: readonly string[]): Template | undefined => {
    const source = text(key)
    if (source === undefined) return undefined
    const parsed = parse(source, (message) => fail(`${toName(key)} has ${message}`, key))
    if (vars === undefined) return parsed
    const slots = [...builtin, ...vars]
    const unknown = listPlaceholders(parsed).find((slot) => !slots.includes(slot))
    return unknown === undefined
      ? parsed
      : fail(
          `${toName(key)} has an unknown placeholder {${unknown}}; use {${slots.join('}, {')}}, or set it with ${varSetting} ${unknown}=…`,
          key,
        )
  }

  const user =
    template('user', builtinPlaceholders) ?? fail(`${version ?? 'the prompt'} has no ${toName('user')}`)
  if (!listPlaceholders(user).includes('text'))
    fail(`${toName('user')}${owner} has no {text}, the placeholder for the document`, 'user')
  // The document must stay out of the system prompt, where its words would have the weight of the operator's.
  const system = template(
    'system',
    builtinPlaceholders.filter((slot) => slot !== 'text'),
  )
  if (listPlaceholders(system ?? []).includes('text'))
    fail(`${toName('system')} has {text}: the document belongs in ${toName('user')}`, 'system')
  const description = text('description')
  const model = text('model')
  const effort = text('effort')
  if (effort !== undefined && !efforts.includes(effort as Effort))
    fail(`${toName('effort')} is one of ${efforts.join(', ')}`, 'effort')
  const limit = findModel(resolveModelAlias(model ?? ''))?.maxOutputTokens ?? Number.MAX_SAFE_INTEGER
  const { maxTokens, schema, citations } = fields
  if (citations !== undefined && typeof citations !== 'boolean')
    fail(`${toName('citations')}${owner} must be true or false`, 'citations')
  if (citations === true && schema !== undefined)
    fail(`${toName('citations')}${owner} cannot be combined with ${toName('schema')}`, 'citations')
  if (citations === true && countDocuments(user) > 1)
    fail(`${toName('user')}${owner} may have {text} only once with ${toName('citations')}`, 'user')
  if (
    maxTokens !== undefined &&
    !(Number.isInteger(maxTokens) && Number(maxTokens) >= 1 && Number(maxTokens) <= limit)
  ) {
    fail(
      `${toName('maxTokens')}${owner} must be a whole number of at least 1${model === undefined ? '' : ` and at most ${limit}`}`,
      'maxTokens',
    )
  }
  const unsupported = schema === undefined ? undefined : findUnsupported(schema)
  if (unsupported !== undefined) fail(`${toName('schema')}${owner}: ${unsupported}`, 'schema')
  return {
    user,
    ...(schema !== undefined && { schema: schema as JsonSchema }),
    ...(citations === true && { citations }),
    ...(description !== undefined && { description: description.trim() }),
    ...(system !== undefined && { system }),
    ...(model !== undefined && { model }),
    ...(maxTokens !== undefined && { maxTokens: Number(maxTokens) }),
    ...(effort !== undefined && { effort: effort as Effort }),
  }
}

/** Returns the first variable without a placeholder in any of the prompts; undefined if all have one. */
export function findUnusedVar(
  prompts: readonly Pick<Prompt, 'user' | 'system'>[],
  vars: readonly string[],
): string | undefined {
  const ownSlots = new Set(
    prompts.flatMap(({ user, system = [] }) => [...listPlaceholders(user), ...listPlaceholders(system)]),
  )
  for (const slot of builtinPlaceholders) ownSlots.delete(slot)
  return vars.find((name) => !ownSlots.has(name))
}

function parse(source: string, fail: (message: string) => never): Template {
  try {
    return parseTemplate(source)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return fail(error.message)
  }
}
