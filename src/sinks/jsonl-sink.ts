import { sumAttemptCosts, toUsdOrNull } from '../core/pricing/document-cost.ts'
import { formatJsonlLine, type JsonlLine, jsonlFormatVersion } from '../core/run/jsonl-line.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'

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
    write: (outcome) => write(`${formatJsonlLine(toFields(outcome), structured)}\n`),
    async close() {},
  }
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
    elapsed_ms: Number.isFinite(elapsedMs) ? Math.max(0, Math.round(elapsedMs)) : null,
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
