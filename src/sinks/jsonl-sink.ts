import { sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import { usageShape } from '../core/pricing/usage.ts'
import { errorShape } from '../core/run/ledger-entry.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { isJson, minifyJson } from '../core/text/minify-json.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import {
  amount,
  any,
  count,
  describe,
  nullable,
  objectOf,
  oneOf,
  optional,
  string,
  type TypeOf,
  toJsonSchema,
} from '../core/text/shape.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
const jsonlFormatVersion = 2

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
  elapsed_ms: describe(amount, 'from the start of the document to its end, including waits'),
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
  const { document, attempts, elapsedMs } = outcome
  const last = attempts.at(-1)
  const { usage, cost } = sumAttemptCosts(attempts)
  return {
    format_version: jsonlFormatVersion,
    path: document.path,
    ...toResultFields(outcome),
    ...(last !== undefined && { model: last.model, request_id: last.requestId ?? null }),
    ...(attempts.some(({ error }) => error === undefined) && {
      usage: usage ?? null,
      cost_usd: toUsdOrNull({ cost }),
    }),
    attempts: attempts.length,
    elapsed_ms: Math.round(elapsedMs),
  }
}

function toResultFields(outcome: Outcome): Pick<JsonlLine, 'status' | 'summary' | 'error' | 'reason'> {
  const { status } = outcome
  switch (status) {
    case 'summarized':
      return { status, summary: outcome.text.trimEnd() }
    case 'failed': {
      const { kind, type, message, requestId, transient } = outcome.failure
      const error = { kind, type, message, request_id: requestId ?? null, transient }
      return { status, error: outcome.partialText ? { ...error, partial: outcome.partialText } : error }
    }
    case 'skipped':
      return { status, reason: { type: outcome.type, message: outcome.reason } }
    case 'pending':
      return { status, reason: { type: 'stopped', message: outcome.reason } }
  }
}
