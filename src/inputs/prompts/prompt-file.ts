import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import type { Prompt } from '../../core/request/render-prompt.ts'
import { UsageError } from '../../errors.ts'
import { buildPrompt, type PromptFields } from './build-prompt.ts'

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
  const entries = readFields(node, Object.values(keys), version, fail)
  const get = (field: keyof PromptFields) => entries[keys[field]]
  const schema = get('schema')?.at
  const fields = {
    user: get('user')?.value,
    system: get('system')?.value,
    description: get('description')?.value,
    model: get('model')?.value,
    maxTokens: get('maxTokens')?.value,
    effort: get('effort')?.value,
    schema: isMap(schema) ? schema.toJSON() : schema,
    citations: get('citations')?.value,
  }
  const prompt = buildPrompt(fields, {
    names: keys,
    version,
    vars,
    varSetting,
    fail: (message, field) => fail(message, field === undefined ? node : get(field)?.at),
  })
  return { name, version, origin, ...prompt }
}

/** The key of each field in a file. */
const keys = {
  system: 'system',
  user: 'user_template',
  description: 'description',
  model: 'model',
  maxTokens: 'max_tokens',
  effort: 'effort',
  schema: 'schema',
  citations: 'citations',
} as const satisfies PromptFields<string>

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
