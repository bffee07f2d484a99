import { toCitationFields } from '../core/citations/citation-fields.ts'
import { formatJsonlLine, type JsonlLine, jsonlFormatVersion } from '../core/run/jsonl-line.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { toOutcomeFields } from '../core/run/outcome-fields.ts'
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
  const { path, status, ...fields } = toOutcomeFields(outcome)
  const summary = outcome.status === 'summarized' ? toSummaryFields(outcome) : {}
  return { format_version: jsonlFormatVersion, path, status, ...summary, ...fields }
}

function toSummaryFields({
  text,
  citations,
}: Extract<Outcome, { status: 'summarized' }>): Pick<JsonlLine, 'summary' | 'citations'> {
  return {
    summary: text.trimEnd(),
    ...(citations !== undefined && { citations: citations.map(toCitationFields) }),
  }
}
