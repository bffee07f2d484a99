import { isUtf8 } from 'node:buffer'
import { findUnsupported, type JsonSchema } from '../../core/request/schema-support.ts'
import { UsageError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { readSmallFile } from '../read-small-file.ts'

/**
 * Checks texts against a JSON Schema. `findMismatch` returns why a text does not match; undefined if it does.
 */
export interface SchemaCheck {
  findMismatch(text: string): string | undefined
}

/**
 * Reads a JSON Schema from a file.
 * @param label the file's name in messages
 * @throws UsageError if the file is not a JSON Schema, or uses something that the API does not support
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
 * Returns a check for a JSON Schema of draft 2020-12. Library: ajv.
 * @param schemaSource where the schema comes from, for messages
 * @throws UsageError if the schema is invalid
 */
export async function createSchemaCheck(schema: JsonSchema, schemaSource: string): Promise<SchemaCheck> {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  // `strictNumbers` would reject 1e400, which is a number in JSON and Infinity in JavaScript.
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
        // The validator makes a recursive call for each level of nesting.
        if (error instanceof RangeError) return 'the answer is nested too deeply to be checked'
        throw error
      }
      return `the answer does not fit the schema: ${ajv.errorsText(validate.errors, { dataVar: 'it' })}`
    },
  }
}
