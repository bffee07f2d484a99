import type { JsonSchema } from '../core/request/schema-support.ts'
import { isOptions } from './check-arguments.ts'

/**
 * The type of the data that a JSON schema describes, if TypeScript knows the schema literally; `unknown` for parts
 * that it cannot derive, such as a `$ref`.
 */
export type SchemaData<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly anyOf: readonly (infer Part)[] }
      ? PartData<Part>
      : Schema extends { readonly type: readonly (infer Type)[] }
        ? TypeData<Type, Schema>
        : Schema extends { readonly type: infer Type }
          ? TypeData<Type, Schema>
          : unknown

type PartData<Part> = Part extends unknown ? SchemaData<Part> : never

/** Distributes over a union of types. */
type TypeData<Type, Schema> = Type extends keyof ScalarTypes
  ? ScalarTypes[Type]
  : Type extends 'array'
    ? (Schema extends { readonly items: infer Item } ? SchemaData<Item> : unknown)[]
    : Type extends 'object'
      ? Schema extends { readonly properties: infer Properties }
        ? ObjectData<Properties, Schema extends { readonly required: readonly (infer Name)[] } ? Name : never>
        : object
      : unknown

interface ScalarTypes {
  readonly string: string
  readonly number: number
  readonly integer: number
  readonly boolean: boolean
  readonly null: null
}

type ObjectData<Properties, Required> = {
  -readonly [Name in keyof Properties as Name extends Required ? Name : never]: SchemaData<Properties[Name]>
} & {
  -readonly [Name in keyof Properties as Name extends Required ? never : Name]?: SchemaData<Properties[Name]>
}

/**
 * Returns a copy of a schema that the caller cannot change any more. @throws TypeError if it is not a JSON value
 */
export function copySchema(caller: string, schema: unknown): unknown {
  if (!isOptions(schema)) throw new TypeError(`${caller}: schema must be a JSON Schema object`)
  try {
    return JSON.parse(JSON.stringify(schema))
  } catch {
    throw new TypeError(`${caller}: schema is not JSON`)
  }
}

/**
 * Returns a function that parses an answer that matches the schema, and one that returns why an answer does not. Loads
 * the validator.
 * @throws UsageError if the schema is invalid
 */
export async function createAnswerReader(
  schema: JsonSchema | undefined,
  schemaSource: string,
): Promise<AnswerReader> {
  if (schema === undefined) return { findMismatch: () => undefined, readData: () => ({}) }
  const { createSchemaCheck } = await import('../inputs/answer-checks/schema-check.ts')
  const { findMismatch } = await createSchemaCheck(schema, schemaSource)
  return { findMismatch, readData: (text) => ({ data: JSON.parse(text) as unknown }) }
}

export interface AnswerReader {
  /** Returns why a complete answer does not match the schema. */
  findMismatch(text: string): string | undefined
  /** Returns the data of an answer that matches; nothing without a schema. */
  readData(text: string): { readonly data?: unknown }
}
