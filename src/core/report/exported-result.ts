import { fromCitationFields } from '../citations/citation-fields.ts'
import { removeFootnotes } from '../citations/format-footnotes.ts'
import { readCompleteCost } from '../run/complete-cost.ts'
import { type JsonlLine, jsonlFormatVersion } from '../run/jsonl-line.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'
import { toKnownMs } from './known-ms.ts'

/** A result of an output folder, for an export. A document that failed after it had a summary has two results. */
export interface ExportedResult {
  /** The ledger entry; its path is relative to the working directory. */
  readonly entry: DocumentEntry
  /**
   * The summary on disk, without front matter; undefined if its file cannot be read, and for other
   * statuses.
   */
  readonly text: string | undefined
  /** Whether the summary is JSON, because a schema asked for it. */
  readonly isJson: boolean
  /** Whether the file differs from what claude-batch wrote. */
  readonly isEdited: boolean
  /** Whether the reply came from the simulator. */
  readonly isSimulated: boolean
}

/** Whether the file of a summary cannot be read, so that there is nothing to export. */
export function isMissing({ entry, text }: ExportedResult): boolean {
  return entry.status === 'summarized' && text === undefined
}

/** Returns a result as the fields of a JSON line, which are those of a run to stdout, and a few more. */
export function toJsonlFields(result: ExportedResult): JsonlLine {
  const { entry, isEdited, isSimulated } = result
  const { path, status, model, request_id, attempts, ended_at, prompt, quality_issues } = entry
  return {
    format_version: jsonlFormatVersion,
    path,
    status,
    ...toSummaryFields(result),
    ...(status === 'failed' && { error: { ...toError(entry), request_id } }),
    ...(status === 'pending' && { reason: { type: 'stopped', message: pendingReason } }),
    model,
    request_id,
    ...readCompleteCost(entry),
    attempts,
    elapsed_ms: toKnownMs(entry.elapsed_ms),
    ended_at,
    prompt,
    ...(quality_issues !== undefined && { quality_issues }),
    ...(isEdited && { edited: true as const }),
    ...(isSimulated && { simulated: true as const }),
  }
}

/** Returns the summary as the model wrote it, with its citations; or the text on disk, if it was edited. */
function toSummaryFields({
  entry,
  text,
  isEdited,
}: ExportedResult): Pick<JsonlLine, 'summary' | 'citations'> {
  if (text === undefined) return {}
  const { citations } = entry
  if (citations === undefined || isEdited) return { summary: text }
  return { summary: removeFootnotes(text, citations.map(fromCitationFields)), citations }
}

/** Returns the error of a failed document, or why a document is pending; undefined if it is summarized. */
export function describeMissingSummary(entry: DocumentEntry): string | undefined {
  if (entry.status === 'summarized') return undefined
  if (entry.status === 'pending') return pendingReason
  const { kind, type, message } = toError(entry)
  return `${kind} ${type}: ${message}`
}

const pendingReason = 'the run stopped after a request was sent'

/** Every failed document has an error, unless its entry was edited. */
function toError({ error }: DocumentEntry): NonNullable<DocumentEntry['error']> {
  return error ?? { kind: 'unknown', type: 'unknown', message: 'the ledger has no error', transient: false }
}
