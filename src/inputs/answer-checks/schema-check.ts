import { isUtf8 } from 'node:buffer'
import { findUnsupported, type JsonSchema } from '../../core/request/schema-support.ts'
import { UsageError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { readSmallFile } from '../read-small-file.ts'

/** Says why a text does not fit a schema; undefined where it does. */
export interface SchemaCheck {
  findMismatch(text: string): string | undefined
}

/**
 * Reads a JSON Schema.
 * @throws UsageError where it is none, or holds what the API does not accept
 */
export async function readSchema(file: string, label: string): Promise<JsonSchema> {
  const fail = (message: string): never => {
    throw new UsageError(`--schema ${label}: ${message}`)
  }
  const bytes = await readSmallFile(file).catch((error) => fail(`cannot read it: ${describeFsError(error)}`))
  if (!isUtf8(bytes)) fail('it is not UTF-8')
  let schema: JsonSchema = {}
  try {
    schema = JSON.parse(bytes.toString('utf8')) as JsonSchema
  } catch (error) {
    fail(`it is not JSON: ${(error as Error).message}`)
  }
  const unsupported = findUnsupported(schema)
  if (unsupported !== undefined) fail(unsupported)
  return schema
}

/**
 * Library: ajv, draft 2020-12.
 * @param schemaSource it comes from, for people
 * @throws UsageError where it is no schema
 */
export async function createSchemaCheck(schema: JsonSchema, schemaSource: string): Promise<SchemaCheck> {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  // `strictNumbers` would refuse 1e400, which is a number in JSON and Infinity in JavaScript.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, strictNumbers: false })
  const validate = (() => {
    try {
      return ajv.compile(schema)
    } catch (error) {
      throw new UsageError(`${schemaSource}: ${(error as Error).message}`)
    }
  })()
  return {
    findMismatch(text) {
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return 'the answer is not JSON'
      }
      try {
        if (validate(value)) return undefined
      } catch (error) {
        // Comparing values takes a call for each level of nesting.
        if (error instanceof RangeError) return 'the answer is nested too deeply to be checked'
        throw error
      }
      return `the answer does not fit the schema: ${ajv.errorsText(validate.errors, { dataVar: 'it' })}`
    },
  }
}
