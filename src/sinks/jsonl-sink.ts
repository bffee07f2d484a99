import { sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { isJson, minifyJson } from '../core/text/minify-json.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'

/**
 * Writes one JSON object per outcome and line. With `structured`, a summary that is JSON goes into the line as JSON, token
 * for token as the model wrote it, instead of as a string. Fields are only ever added; `schema` counts the changes that
 * are not.
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

/** `summary` or `error`, never both; a skipped or pending input has a `reason` and neither. */
function toFields(outcome: Outcome): Record<string, unknown> {
  const { document, status, attempts, elapsedMs } = outcome
  const last = attempts.at(-1)
  const bill = sumAttemptCosts(attempts)
  return {
    schema: 1,
    path: document.path,
    status,
    ...toResultFields(outcome),
    ...(last !== undefined && { model: last.model, request_id: last.requestId ?? null }),
    ...(attempts.some(({ error: fault }) => fault === undefined) && {
      // Null is unknown: the server did not count, or the model has no price.
      usage:
        bill.usage === undefined
          ? null
          : { input_tokens: sumInputTokens(bill.usage), output_tokens: bill.usage.output },
      cost_usd: toUsdOrNull(bill),
    }),
    attempts: attempts.length,
    elapsed_ms: Math.round(elapsedMs),
  }
}

function toResultFields(outcome: Outcome): Record<string, unknown> {
  switch (outcome.status) {
    case 'summarized':
      return { summary: outcome.text.trimEnd() }
    case 'failed': {
      const { kind, type, message, requestId, transient } = outcome.failure
      const error = { kind, type, message, request_id: requestId ?? null, transient }
      return outcome.partialText ? { error: { ...error, partial: outcome.partialText } } : { error }
    }
    case 'skipped':
      return { reason: { type: outcome.type, message: outcome.reason } }
    case 'pending':
      return { reason: { type: 'stopped', message: outcome.reason } }
  }
}
