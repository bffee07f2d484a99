import { citationShape } from '../citations/citation-fields.ts'
import { qualityIssueTypes } from '../document/quality-checks.ts'
import { escapeJson } from '../text/escape-json.ts'
import { isJson, minifyJson } from '../text/minify-json.ts'
import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'
import {
  any,
  describe,
  listOf,
  objectOf,
  oneOf,
  optional,
  string,
  type TypeOf,
  toJsonSchema,
} from '../text/shape.ts'
import { outcomeShape } from './outcome-fields.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
export const jsonlFormatVersion = 2

const { path, status, ...otherFields } = outcomeShape.fields

const jsonlLineShape = objectOf({
  format_version: oneOf(jsonlFormatVersion),
  path,
  status,
  summary: optional(
    describe(any, 'of a summarized document: a string, or the JSON that a prompt with a schema asked for'),
  ),
  citations: optional(
    describe(listOf(citationShape), 'the passages that support the summary, if they were asked for'),
  ),
  ...otherFields,
  ended_at: optional(
    describe(string, 'when the result was made; this and the following fields: only in an export'),
  ),
  prompt: optional(describe(string, 'with its version: summarize@v2')),
  quality_issues: optional(
    describe(
      listOf(string),
      `why the summary may be wrong: ${qualityIssueTypes.join(', ')}; absent if it is not flagged`,
    ),
  ),
  edited: optional(describe(oneOf(true), 'the summary was edited by hand')),
  simulated: optional(describe(oneOf(true), 'the reply came from the simulator, nothing was paid')),
})

/**
 * A JSON line about one document, of a run or of an export. Its `status` decides whether it has a `summary`, an
 * `error` or a `reason`.
 */
export interface JsonlLine extends TypeOf<typeof jsonlLineShape> {}

/** The JSON Schema of a line; shipped as `dist/schemas/jsonl.json`. */
export const jsonlSchema = toJsonSchema(jsonlLineShape, {
  title: 'a line of JSONL about one document, from claude-batch summarize or claude-batch export',
  description: 'Costs are US dollars; null is unknown.',
})

/**
 * Returns a result as one line of JSON, without a line break. It contains no control characters, so a terminal
 * can show it.
 * @param structured whether a summary that is JSON is embedded as JSON, with the model's own number and string
 *   tokens, instead of as a string
 */
export function formatJsonlLine(fields: JsonlLine, structured: boolean): string {
  const jsonMembers = Object.entries(fields).map(([name, given]) => {
    const value = replaceLoneSurrogates(given)
    const isJsonSummary = structured && name === 'summary' && typeof value === 'string' && isJson(value)
    return `${JSON.stringify(name)}:${isJsonSummary ? minifyJson(given as string) : JSON.stringify(value)}`
  })
  return escapeJson(`{${jsonMembers.join(',')}}`)
}
