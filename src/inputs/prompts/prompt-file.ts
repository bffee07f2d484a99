import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { type Effort, efforts, findModel, resolveModelAlias } from '../../core/pricing/models.ts'
import { builtinPlaceholders, type Prompt } from '../../core/request/render-prompt.ts'
import { findUnsupported, type JsonSchema } from '../../core/request/schema-support.ts'
import { listPlaceholders, parseTemplate, type Template, TemplateError } from '../../core/request/template.ts'
import { UsageError } from '../../errors.ts'

/** The content of a prompt file. */
export interface PromptFile {
  /** The versions, sorted by number. */
  readonly prompts: readonly Prompt[]
  /** The version that is used if none is requested. */
  readonly default: string
  readonly isPinned: boolean
}

interface PromptContext {
  readonly name: string
  readonly origin: string
  /** The version to use; by default, the one that the file selects. */
  readonly version?: string | undefined
  /**
   * Names of allowed placeholders besides the built-in ones; undefined allows any. Other versions may have
   * any.
   */
  readonly vars?: readonly string[] | undefined
  /** The name of the setting for the user's variables in messages. @default '--var' */
  readonly varSetting?: string | undefined
}

type Fields = Readonly<Record<string, { readonly value: unknown; readonly at: Node | undefined }>>

/**
 * Parses and checks a whole prompt file, so that a mistake in any version is found before that version is
 * needed.
 * @throws UsageError with file, line and column
 */
export function parsePromptFile(text: string, context: PromptContext): PromptFile {
  const lines = new LineCounter()
  const fail = (message: string, at?: Node | number): never => {
    const offset = typeof at === 'number' ? at : at?.range?.[0]
    const { line, col } = offset === undefined ? { line: 0, col: 0 } : lines.linePos(offset)
    throw new UsageError(
      `${context.origin === 'shipped' ? `${context.name}.yaml` : context.origin}${line > 0 ? `:${line}:${col}` : ''}: ${message}`,
    )
  }

  const root = parseYaml(text, lines, fail)
  const top = readFields(root, ['versions', 'default'], 'a prompt file', fail)
  const versions = top['versions']?.at
  if (!isMap(versions)) return fail('`versions:` must map v1, v2, … to prompts', versions ?? root)

  rejectDuplicateKeys(versions, fail)
  const prompts = versions.items.map(({ key, value }) => {
    const version = isScalar(key) ? String(key.value) : ''
    if (!/^v[1-9]\d*$/.test(version))
      fail(`a version is called v1, v2, …, not ${JSON.stringify(version)}`, key as Node)
    return {
      ...parsePrompt(version, value as Node, { ...context, vars: undefined }, fail),
      at: value as Node,
    }
  })
  prompts.sort((a, b) => toVersionNumber(a) - toVersionNumber(b))
  const latest = prompts.at(-1)
  if (latest === undefined) return fail('`versions:` is empty', versions)
  const pin = top['default']
  if (pin !== undefined && !prompts.some(({ version }) => version === pin.value)) {
    fail(
      `\`default: ${String(pin.value)}\` is not one of its versions (${prompts.map(({ version }) => version).join(', ')})`,
      pin.at,
    )
  }
  const defaultVersion = pin === undefined ? latest.version : String(pin.value)
  const selected = prompts.find(({ version }) => version === (context.version ?? defaultVersion))
  if (selected !== undefined) parsePrompt(selected.version, selected.at, context, fail)
  const why = pin === undefined ? 'latest' : 'pinned'
  return {
    prompts: prompts.map(({ at: _, ...prompt }) => ({ ...prompt, why })),
    default: defaultVersion,
    isPinned: pin !== undefined,
  }
}

type Fail = (message: string, at?: Node | number) => never

function parseYaml(text: string, lineCounter: LineCounter, fail: Fail): Node {
  try {
    // The `uniqueKeys` option takes quadratic time; see `rejectDuplicateKeys`.
    const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined)
      fail(
        /call stack/.test(problem.message) ? 'nested too deeply' : `not valid YAML: ${problem.message}`,
        problem.pos[0],
      )
    // An alias bomb shows only when aliases are resolved: more than a hundred throw a ReferenceError.
    document.toJS({ maxAliasCount: 100 })
    return document.contents ?? fail('the file is empty')
  } catch (error) {
    if (error instanceof UsageError) throw error
    return fail(
      error instanceof ReferenceError ? 'too many aliases' : `not YAML: ${(error as Error).message}`,
    )
  }
}

function parsePrompt(
  version: string,
  node: Node,
  { name, origin, vars, varSetting = '--var' }: PromptContext,
  fail: Fail,
): Omit<Prompt, 'why'> {
  const keys = ['system', 'user_template', 'description', 'model', 'max_tokens', 'effort', 'schema']
  const fields = readFields(node, keys, version, fail)
  const text = (key: string) => {
    const field = fields[key]
    if (field === undefined) return undefined
    if (typeof field.value !== 'string' || field.value.trim() === '')
      return fail(`\`${key}\` of ${version} must be a text`, field.at)
    return field.value
  }
  const template = (key: string, builtin: readonly string[]): Template | undefined => {
    const slots = vars === undefined ? undefined : [...builtin, ...vars]
    const source = text(key)
    const options = { slots, varSetting, at: fields[key]?.at }
    return source === undefined ? undefined : parseCheckedTemplate(source, key, options, fail)
  }

  const user =
    template('user_template', builtinPlaceholders) ?? fail(`${version} has no \`user_template\``, node)
  if (!listPlaceholders(user).includes('text'))
    fail(
      `\`user_template\` of ${version} has no {text}, the placeholder for the document`,
      fields['user_template']?.at,
    )
  // The document must stay out of the system prompt, where its words would have the weight of the operator's.
  const system = template(
    'system',
    builtinPlaceholders.filter((slot) => slot !== 'text'),
  )
  if (listPlaceholders(system ?? []).includes('text'))
    fail('`system` has {text}: the document belongs in `user_template`', fields['system']?.at)
  const description = text('description')
  const model = text('model')
  const effort = text('effort')
  if (effort !== undefined && !efforts.includes(effort as Effort))
    fail(`\`effort\` is one of ${efforts.join(', ')}`, fields['effort']?.at)
  const limit = findModel(resolveModelAlias(model ?? ''))?.maxOutputTokens ?? Number.MAX_SAFE_INTEGER
  const maxTokens = fields['max_tokens']
  if (
    maxTokens !== undefined &&
    !(Number.isInteger(maxTokens.value) && Number(maxTokens.value) >= 1 && Number(maxTokens.value) <= limit)
  ) {
    fail(
      `\`max_tokens\` of ${version} must be a whole number of at least 1${model === undefined ? '' : ` and at most ${limit}`}`,
      maxTokens.at,
    )
  }
  const schemaAt = fields['schema']?.at
  const schema: unknown = isMap(schemaAt) ? schemaAt.toJSON() : schemaAt
  const unsupported = schema === undefined ? undefined : findUnsupported(schema)
  if (unsupported !== undefined) fail(`\`schema\` of ${version}: ${unsupported}`, schemaAt)
  return {
    name,
    version,
    origin,
    user,
    ...(schema !== undefined && { schema: schema as JsonSchema }),
    ...(description !== undefined && { description: description.trim() }),
    ...(system !== undefined && { system }),
    ...(model !== undefined && { model }),
    ...(maxTokens !== undefined && { maxTokens: Number(maxTokens.value) }),
    ...(effort !== undefined && { effort: effort as Effort }),
  }
}

function parseCheckedTemplate(
  source: string,
  key: string,
  {
    slots,
    varSetting,
    at,
  }: {
    readonly slots: readonly string[] | undefined
    readonly varSetting: string
    readonly at: Node | undefined
  },
  fail: Fail,
): Template {
  try {
    const template = parseTemplate(source)
    const unknown = listPlaceholders(template).find((slot) => !(slots ?? [slot]).includes(slot))
    if (slots !== undefined && unknown !== undefined) {
      fail(
        `\`${key}\` has an unknown placeholder {${unknown}}; use {${slots.join('}, {')}}, or set it with ${varSetting} ${unknown}=…`,
        at,
      )
    }
    return template
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return fail(`\`${key}\` has ${error.message}`, at)
  }
}

/**
 * Returns the entries of a mapping, and fails for an unknown key. `__proto__` is a key like any other here.
 */
function readFields(node: Node | undefined, keys: readonly string[], subject: string, fail: Fail): Fields {
  if (!isMap(node)) return fail(`${subject} must be a mapping with ${keys.join(', ')}`, node)
  rejectDuplicateKeys(node, fail)
  const fields: [string, Fields[string]][] = node.items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : ''
    if (!keys.includes(name))
      fail(`unknown key ${JSON.stringify(name)} in ${subject}; the keys are ${keys.join(', ')}`, key as Node)
    return [name, { value: isScalar(value) ? value.value : value, at: (value as Node | null) ?? undefined }]
  })
  return Object.fromEntries(fields)
}

/**
 * Fails for a key that occurs twice. Called for every mapping that is used; other mappings are rejected as
 * unknown.
 */
function rejectDuplicateKeys({ items }: YAMLMap, fail: Fail): void {
  const seen = new Set<string>()
  for (const { key } of items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (seen.has(name)) fail(`${JSON.stringify(name)} occurs twice`, key as Node)
    seen.add(name)
  }
}

function toVersionNumber({ version }: { readonly version: string }): number {
  return Number(version.slice(1))
}
