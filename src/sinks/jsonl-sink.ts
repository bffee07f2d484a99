import type { Outcome } from '../core/run/outcome.ts'
import { outcomeShape, toOutcomeFields } from '../core/run/outcome-fields.ts'
import type { Sink } from '../core/run/sink.ts'
import { isJson, minifyJson } from '../core/text/minify-json.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { any, describe, objectOf, oneOf, optional, type TypeOf, toJsonSchema } from '../core/text/shape.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
const jsonlFormatVersion = 2

const { path, status, ...otherFields } = outcomeShape.fields

const jsonlLineShape = objectOf({
  format_version: oneOf(jsonlFormatVersion),
  path,
  status,
  summary: optional(
    describe(any, 'of a summarized document: a string, or the JSON that a prompt with a schema asked for'),
  ),
  ...otherFields,
})

/**
 * One line of `--format jsonl`. Its `status` decides whether it has a `summary`, an `error` or a `reason`.
 */
interface JsonlLine extends TypeOf<typeof jsonlLineShape> {}

/** The JSON Schema of a line; shipped as `dist/schemas/jsonl.json`. */
export const jsonlSchema = toJsonSchema(jsonlLineShape, {
  title: 'a line of claude-batch summarize --format jsonl',
  description: 'Costs are US dollars; null is unknown.',
})

/**
 * Creates a sink that writes one line with a JSON object per outcome.
 * @param write writes text to stdout
 * @param options with `structured`, a summary that is JSON is embedded as JSON, with the model's own number
 *   and string tokens, instead of as a string
 */
export function createJsonlSink(
  write: (text: string) => Promise<void>,
  { structured = false }: { readonly structured?: boolean } = {},
): Sink {
  return {
    write: (outcome) => write(`${formatLine(outcome, structured)}\n`),
    async close() {},
  }
}

function formatLine(outcome: Outcome, structured: boolean): string {
  const jsonMembers = Object.entries(toFields(outcome)).map(([name, given]) => {
    const value = replaceLoneSurrogates(given)
    const isJsonSummary = structured && name === 'summary' && typeof value === 'string' && isJson(value)
    return `${JSON.stringify(name)}:${isJsonSummary ? minifyJson(given as string) : JSON.stringify(value)}`
  })
  return `{${jsonMembers.join(',')}}`
}

function toFields(outcome: Outcome): JsonlLine {
  const { path, status, ...fields } = toOutcomeFields(outcome)
  const summary = outcome.status === 'summarized' ? { summary: outcome.text.trimEnd() } : {}
  return { format_version: jsonlFormatVersion, path, status, ...summary, ...fields }
}
