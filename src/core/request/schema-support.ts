/** A JSON Schema of draft 2020-12 that replies must match. */
export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * Returns what the API does not support in a schema, and where it is; undefined if the API supports all of
 * it.
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */
export function findUnsupported(schema: unknown): string | undefined {
  if (!isRecord(schema)) return 'a schema must be an object'
  if (schema['type'] !== 'object') return 'its `type` must be object: one JSON object for each document'
  const counts = { optional: 0, unions: 0 }
  const problem = findProblem(schema, '', { root: schema, counts, openRefs: new Set() })
  if (problem !== undefined) return problem
  if (counts.optional > 24)
    return `${counts.optional} properties are optional, more than 24; list them under \`required\``
  if (counts.unions > 16) return `${counts.unions} values allow several types, more than 16`
  return undefined
}

interface Walk {
  readonly root: JsonSchema
  readonly counts: { optional: number; unions: number }
  /** References that are being resolved; a second visit is a cycle. */
  readonly openRefs: ReadonlySet<string>
}

const unsupportedKeywords = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  '$async',
] as const

function findProblem(schema: unknown, at: string, walk: Walk): string | undefined {
  const where = at === '' ? 'at the top' : `at ${at}`
  if (typeof schema === 'boolean') return undefined
  if (!isRecord(schema)) return `${where}: a schema must be an object`
  const keyword = unsupportedKeywords.find((name) => name in schema)
  if (keyword !== undefined)
    return `${where}: the API does not support \`${keyword}\`; describe the rule in a \`description\``
  if (Number(schema['minItems'] ?? 0) > 1) return `${where}: the API does not support \`minItems\` above 1`
  const ref = schema['$ref']
  if (ref !== undefined) return findRefProblem(ref, where, walk)
  const properties = schema['properties']
  if (schema['type'] === 'object' || properties !== undefined) {
    if (schema['additionalProperties'] !== false)
      return `${where}: the API requires \`"additionalProperties": false\``
    const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
    for (const name of Object.keys(isRecord(properties) ? properties : {}))
      if (!required.has(name)) walk.counts.optional++
  }
  if (Array.isArray(schema['type']) || schema['anyOf'] !== undefined) walk.counts.unions++
  for (const [path, part] of listSubschemas(schema, at)) {
    const problem = findProblem(part, path, walk)
    if (problem !== undefined) return problem
  }
  return undefined
}

function findRefProblem(ref: unknown, where: string, walk: Walk): string | undefined {
  if (typeof ref !== 'string' || !/^#\/(\$defs|definitions)\//.test(ref))
    return `${where}: the API supports a \`$ref\` only to \`#/$defs/…\``
  if (walk.openRefs.has(ref)) return `${where}: the API does not support a schema that refers to itself`
  const target = ref
    .slice(2)
    .split('/')
    .reduce(
      (at: unknown, name) => (isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined),
      walk.root,
    )
  if (target === undefined) return `${where}: there is no ${ref}`
  return findProblem(target, ref, { ...walk, openRefs: new Set([...walk.openRefs, ref]) })
}

function listSubschemas(schema: JsonSchema, at: string): [string, unknown][] {
  const named = ['properties'].flatMap((word) =>
    Object.entries(isRecord(schema[word]) ? schema[word] : {}).map(([name, part]): [string, unknown] => [
      `${at}/${word}/${name}`,
      part,
    ]),
  )
  const listed = ['anyOf', 'allOf', 'oneOf', 'prefixItems'].flatMap((word) =>
    (Array.isArray(schema[word]) ? (schema[word] as unknown[]) : []).map((part, n): [string, unknown] => [
      `${at}/${word}/${n}`,
      part,
    ]),
  )
  const items: [string, unknown][] = schema['items'] === undefined ? [] : [[`${at}/items`, schema['items']]]
  return [...named, ...listed, ...items]
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
