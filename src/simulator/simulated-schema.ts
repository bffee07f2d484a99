type Schema = Readonly<Record<string, unknown>>

const unsupportedKeywords = [
  'minimum',
  'maximum',
  'multipleOf',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
]

/**
 * Returns the API's error message for an unsupported schema, or undefined if the schema is supported.
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */
export function findSchemaProblem(schema: unknown): string | undefined {
  if (!isSchema(schema)) return 'output_config.format.schema: Input should be an object'
  let problem: string | undefined
  JSON.stringify(schema, (_name, value: unknown) => {
    if (!isSchema(value) || problem !== undefined) return value
    const word = unsupportedKeywords.find((name) => typeof value[name] === 'number')
    if (word !== undefined)
      problem = `output_config.format.schema: For '${String(value['type'])}' type, property '${word}' is not supported`
    if (value['type'] === 'object' && value['additionalProperties'] !== false)
      problem =
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    return value
  })
  return problem
}

/** Returns a value that matches a schema, with the summary as the value of every string. */
export function generateFromSchema(schema: Schema, text: string, root: Schema = schema): unknown {
  const { type, enum: choices, const: only, anyOf, $ref: ref, items, properties } = schema
  if (only !== undefined) return only
  if (Array.isArray(choices)) return choices[0]
  if (typeof ref === 'string') {
    const target = ref
      .split('/')
      .slice(1)
      .reduce((at: unknown, name) => (isSchema(at) ? at[name] : undefined), root)
    return isSchema(target) ? generateFromSchema(target, text, root) : null
  }
  if (Array.isArray(anyOf)) return generateFromSchema(anyOf[0] as Schema, text, root)
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(isSchema(properties) ? properties : {}).map(([name, part]) => [
          name,
          generateFromSchema(part as Schema, text, root),
        ]),
      )
    case 'array':
      return isSchema(items) ? [generateFromSchema(items, text, root)] : []
    case 'integer':
    case 'number':
      return text.length
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return text
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
