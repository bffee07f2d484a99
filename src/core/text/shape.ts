/**
 * The shape of a JSON value. Its TypeScript type ({@link TypeOf}), its check and its JSON Schema are derived
 * from it, so that they always agree.
 *
 * Checks are strict because files in an output folder are untrusted: anyone may have written to them.
 */
export interface Shape<T> {
  readonly matches: (value: unknown) => value is T
  /** JSON Schema 2020-12. The check may be stricter than the schema, for example about file names. */
  readonly schema: JsonSchemaNode
}

/** The type of the values of a shape. */
export type TypeOf<S> = S extends Shape<infer T> ? T : never

type JsonSchemaNode = Readonly<Record<string, unknown>>

/** A field that may be absent. */
export interface OptionalShape<T> extends Shape<T> {
  readonly isOptional: true
}

type Fields = Readonly<Record<string, Shape<unknown>>>

type ObjectOf<F extends Fields> = Flatten<
  { readonly [K in keyof F as F[K] extends OptionalShape<unknown> ? never : K]: TypeOf<F[K]> } & {
    readonly [K in keyof F as F[K] extends OptionalShape<unknown> ? K : never]?: TypeOf<F[K]>
  }
>
type Flatten<T> = { [K in keyof T]: T[K] }

/** Any JSON value. */
export const any = createShape((value): value is unknown => value !== undefined, {})

/** Any string. */
export const string = createShape((value): value is string => typeof value === 'string', { type: 'string' })

/** A string that may be part of a path: no file system allows NUL in names. */
export const stringWithoutNul = where(string, (text) => !text.includes('\0'))

export const boolean = createShape((value): value is boolean => typeof value === 'boolean', {
  type: 'boolean',
})

/** A finite number, small enough for exact sums and for dates. */
export const safeNumber = createShape(
  (value): value is number => typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER,
  { type: 'number' },
)

/** An amount of money, a rate or a duration: a finite number that is not negative. */
export const amount = createShape(isAmount, { type: 'number', minimum: 0 })

/** A size in bytes or a number of things: a whole number that is not negative. */
export const count = createShape((value): value is number => isAmount(value) && Number.isInteger(value), {
  type: 'integer',
  minimum: 0,
})

/** A time as `Date.toISOString` writes it: ISO 8601, UTC. */
export const timestamp = where(
  string,
  (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
  { format: 'date-time' },
)

/** A whole number as text, because JSON numbers are not exact at that size. */
export const digits = where(string, (text) => /^\d{1,40}$/.test(text), { pattern: '^\\d{1,40}$' })

/** One of these values. */
export function oneOf<const T extends string | number | boolean>(...values: readonly T[]): Shape<T> {
  const [only] = values
  return createShape(
    (value): value is T => values.includes(value as T),
    values.length === 1 ? { const: only } : { enum: values },
  )
}

/** A value of the shape, or null for "unknown". */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return createShape((value): value is T | null => value === null || shape.matches(value), {
    anyOf: [shape.schema, { type: 'null' }],
  })
}

/** Makes the field of an object optional. */
export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { ...shape, isOptional: true }
}

/** A list of any length. */
export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return createShape(
    (value): value is readonly T[] => Array.isArray(value) && value.every((item) => shape.matches(item)),
    { type: 'array', items: shape.schema },
  )
}

/** An object whose values all have the shape, under any names. */
export function recordOf<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return createShape(
    (value): value is Readonly<Record<string, T>> =>
      isObject(value) && Object.values(value).every((field) => shape.matches(field)),
    { type: 'object', additionalProperties: shape.schema },
  )
}

/** The shape of an object; its fields can be used in other shapes. */
export interface ObjectShape<F extends Fields> extends Shape<ObjectOf<F>> {
  readonly fields: F
}

/** An object with these fields. It may have more, so that a later version can add some. */
export function objectOf<F extends Fields>(fields: F): ObjectShape<F> {
  const entries = Object.entries(fields)
  const checks = entries.map(([name, shape]) => ({
    name,
    matches: shape.matches,
    isOptional: isOptional(shape),
  }))
  const shape = createShape((value): value is ObjectOf<F> => isObject(value) && hasFields(value, checks), {
    type: 'object',
    required: checks.filter(({ isOptional }) => !isOptional).map(({ name }) => name),
    properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
  })
  return { ...shape, fields }
}

/** An object with one of these shapes. `tag` names the field whose value selects the shape. */
export function taggedUnion<S extends Shape<unknown>>(
  tag: string,
  shapes: Readonly<Record<string, S>>,
): Shape<TypeOf<S>> {
  const shapesByTag = new Map<unknown, S>(Object.entries(shapes))
  return createShape(
    (value): value is TypeOf<S> => isObject(value) && (shapesByTag.get(value[tag])?.matches(value) ?? false),
    { anyOf: [...shapesByTag.values()].map(({ schema }) => schema) },
  )
}

/**
 * A shape whose values also pass a test.
 * @param schema the test as JSON Schema keywords, as far as JSON Schema can express it
 */
export function where<T>(
  shape: Shape<T>,
  test: (value: T) => boolean,
  schema: JsonSchemaNode = {},
): Shape<T> {
  return createShape((value): value is T => shape.matches(value) && test(value), {
    ...shape.schema,
    ...schema,
  })
}

/** Adds a description to the JSON Schema of a shape. */
export function describe<S extends Shape<unknown>>(shape: S, description: string): S {
  return { ...shape, schema: { ...shape.schema, description } }
}

/** Returns the JSON Schema of a file: the schema of its shape, with a title and a description. */
export function toJsonSchema(
  { schema }: Shape<unknown>,
  { title, description }: { readonly title: string; readonly description: string },
): JsonSchemaNode {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, description, ...schema }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function createShape<T>(matches: (value: unknown) => value is T, schema: JsonSchemaNode): Shape<T> {
  return { matches, schema }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

interface FieldCheck {
  readonly name: string
  readonly matches: (value: unknown) => boolean
  readonly isOptional: boolean
}

/** Uses a plain loop, because it runs for every field of up to 100,000 ledger entries. */
function hasFields(value: Readonly<Record<string, unknown>>, checks: readonly FieldCheck[]): boolean {
  for (const { name, matches, isOptional } of checks) {
    const field = value[name]
    if (field === undefined ? !isOptional : !matches(field)) return false
  }
  return true
}

function isOptional(shape: Shape<unknown>): boolean {
  return 'isOptional' in shape
}
