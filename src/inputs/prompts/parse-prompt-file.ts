import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { UsageError } from '../../errors.ts'
import type { PromptFields } from './build-prompt.ts'
import {
  createPromptFile,
  type PromptContext,
  type PromptFile,
  type PromptVersion,
  promptKeys,
} from './prompt-file.ts'

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
  const parsed = versions.items.map(({ key, value }) => {
    const version = isScalar(key) ? String(key.value) : ''
    if (!/^v[1-9]\d*$/.test(version))
      fail(`a version is called v1, v2, …, not ${JSON.stringify(version)}`, key as Node)
    return parseVersion(version, value as Node, fail)
  })
  if (parsed.length === 0) return fail('`versions:` is empty', versions)
  const pin = top['default']
  const names = () => createPromptFile(parsed, undefined, context).prompts.map(({ version }) => version)
  if (pin !== undefined && !parsed.some(({ version }) => version === pin.value))
    fail(`\`default: ${String(pin.value)}\` is not one of its versions (${names().join(', ')})`, pin.at)
  return createPromptFile(parsed, pin === undefined ? undefined : String(pin.value), context)
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

function parseVersion(version: string, node: Node, fail: Fail): PromptVersion {
  const entries = readFields(node, Object.values(promptKeys), version, fail)
  const get = (field: keyof PromptFields) => entries[promptKeys[field]]
  const schema = get('schema')?.at
  return {
    version,
    fields: {
      user: get('user')?.value,
      system: get('system')?.value,
      description: get('description')?.value,
      model: get('model')?.value,
      maxTokens: get('maxTokens')?.value,
      effort: get('effort')?.value,
      schema: isMap(schema) ? schema.toJSON() : schema,
      citations: get('citations')?.value,
    },
    fail: (message, field) => fail(message, field === undefined ? node : get(field)?.at),
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
