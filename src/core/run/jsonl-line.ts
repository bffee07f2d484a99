import { usageShape } from '../pricing/usage.ts'
import { isJson, minifyJson } from '../text/minify-json.ts'
import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'
import {
  amount,
  any,
  count,
  describe,
  listOf,
  nullable,
  objectOf,
  oneOf,
  optional,
  string,
  type TypeOf,
  toJsonSchema,
} from '../text/shape.ts'
import { errorShape } from './ledger-entry.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
export const jsonlFormatVersion = 2

const reasonShape = objectOf({ type: string, message: string })

const jsonlLineShape = objectOf({
  format_version: oneOf(jsonlFormatVersion),
  path: string,
  status: oneOf('summarized', 'failed', 'skipped', 'pending'),
  summary: optional(
    describe(any, 'of a summarized document: a string, or the JSON that a prompt with a schema asked for'),
  ),
  error: optional(
    describe(
      objectOf({
        ...errorShape.fields,
        request_id: nullable(string),
        partial: optional(describe(string, 'text that was paid for, such as a summary that was cut off')),
      }),
      'of a failed document',
    ),
  ),
  reason: optional(describe(reasonShape, 'of a skipped or pending document')),
  model: optional(describe(string, 'this and request_id: absent where nothing was sent')),
  request_id: optional(nullable(string)),
  usage: optional(
    describe(
      nullable(usageShape),
      'this and cost_usd: absent where there was no reply, null where it is unknown',
    ),
  ),
  cost_usd: optional(nullable(amount)),
  attempts: count,
  elapsed_ms: describe(
    nullable(amount),
    'from the start of the document to its end, including waits; null where it is unknown',
  ),
  ended_at: optional(
    describe(string, 'when the result was made; this and the following fields: only in an export'),
  ),
  prompt: optional(describe(string, 'with its version: summarize@v2')),
  quality_issues: optional(
    describe(
      listOf(string),
      'why the summary may be wrong: copy, language, length; absent if it is not flagged',
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
  // JSON allows these characters in strings only, where an escape means the same.
  return `{${jsonMembers.join(',').replace(/[\u007f-\u009f]/g, toJsonEscape)}}`
}

function toJsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
