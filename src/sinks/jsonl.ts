import { billOf, costUsd } from '../core/pricing/cost.ts'
import { promptTokens } from '../core/pricing/usage.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { isJson, minifyJson } from '../core/text/minify-json.ts'
import { wellFormed } from '../core/text/well-formed.ts'

/**
 * Writes one JSON object per outcome and line. With `structured`, a summary that is JSON goes into the line as JSON, token
 * for token as the model wrote it, instead of as a string. Fields are only ever added; `schema` counts the changes that
 * are not.
 */
export function jsonlSink(
  write: (text: string) => Promise<void>,
  { structured = false }: { readonly structured?: boolean } = {},
): Sink {
  return {
    write: (outcome) => write(`${lineOf(outcome, structured)}\n`),
    async close() {},
  }
}

function lineOf(outcome: Outcome, structured: boolean): string {
  const members = Object.entries(fieldsOf(outcome)).map(([name, given]) => {
    const value = wellFormed(given)
    const isAnswer = structured && name === 'summary' && typeof value === 'string' && isJson(value)
    return `${JSON.stringify(name)}:${isAnswer ? minifyJson(given as string) : JSON.stringify(value)}`
  })
  return `{${members.join(',')}}`
}

/** `summary` or `error`, never both; a skipped or pending input has a `reason` and neither. */
function fieldsOf(outcome: Outcome): Record<string, unknown> {
  const { source, status, attempts, elapsedMs } = outcome
  const last = attempts.at(-1)
  const bill = billOf(attempts)
  return {
    schema: 1,
    path: source.path,
    status,
    ...resultOf(outcome),
    ...(last !== undefined && { model: last.model, request_id: last.requestId ?? null }),
    ...(attempts.some(({ fault }) => fault === undefined) && {
      // Null is unknown: the server did not count, or the model has no price.
      usage:
        bill.usage === undefined
          ? null
          : { input_tokens: promptTokens(bill.usage), output_tokens: bill.usage.output },
      cost_usd: costUsd(bill),
    }),
    attempts: attempts.length,
    elapsed_ms: Math.round(elapsedMs),
  }
}

function resultOf(outcome: Outcome): Record<string, unknown> {
  switch (outcome.status) {
    case 'summarized':
      return { summary: outcome.text.trimEnd() }
    case 'failed': {
      const { kind, type, message, requestId, transient } = outcome.failure
      const error = { kind, type, message, request_id: requestId ?? null, transient }
      return outcome.partial ? { error: { ...error, partial: outcome.partial } } : { error }
    }
    case 'skipped':
      return { reason: { type: outcome.type, message: outcome.reason } }
    case 'pending':
      return { reason: { type: 'stopped', message: outcome.reason } }
  }
}
