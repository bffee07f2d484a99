import { toCitationFields } from '../citations/citation-fields.ts'
import type { Fingerprint } from '../document/document.ts'
import type { Failure } from '../errors/failure.ts'
import { sumAttemptCosts, toUsdOrNull } from '../pricing/document-cost.ts'
import type { Attempt } from '../request/attempt.ts'
import { truncate } from '../text/truncate.ts'
import { type DocumentEntry, ledgerFormatVersion, type UnchangedEntry } from './ledger-entry.ts'
import type { Outcome } from './outcome.ts'
import type { Provenance } from './provenance.ts'

/**
 * Returns the ledger entry of an outcome, without the output file; undefined if there is nothing to record.
 * @param time of the outcome: ISO 8601
 * @param provenance used if the outcome has none
 */
export function toLedgerEntry(
  outcome: Outcome,
  time: string,
  provenance: Provenance,
): DocumentEntry | UnchangedEntry | undefined {
  const { document, requestMetadata, attempts, status } = outcome
  const { settingsHash, prompt, model } = requestMetadata?.provenance ?? provenance
  const { path } = document
  if (status === 'skipped') {
    if (!keptSummaryTypes.has(outcome.type) || requestMetadata === undefined) return undefined
    const { requestHash, fingerprint } = requestMetadata
    return {
      type: 'unchanged',
      format_version: ledgerFormatVersion,
      path,
      at: time,
      ...toFileStats(fingerprint),
      request_hash: requestHash,
      settings_hash: settingsHash,
    }
  }
  if (status === 'pending' && attempts.length === 0) return undefined
  const last = attempts.at(-1)
  const cost = sumAttemptCosts(attempts)
  return {
    type: 'document',
    format_version: ledgerFormatVersion,
    path,
    status,
    ended_at: time,
    ...(requestMetadata !== undefined && {
      ...toFileStats(requestMetadata.fingerprint),
      sha256: requestMetadata.fingerprint.sha256,
      request_hash: requestMetadata.requestHash,
    }),
    settings_hash: settingsHash,
    prompt,
    model: last?.model ?? model,
    ...(requestMetadata !== undefined &&
      attempts.length > 0 && { characters: requestMetadata.characters, text_kind: requestMetadata.kind }),
    ...(requestMetadata?.chunks !== undefined && { chunks: requestMetadata.chunks }),
    usage: cost.known.usage ?? null,
    cost_usd: toUsdOrNull(cost.known),
    ...(cost.repliesWithUnknownCost > 0 && { replies_with_unknown_cost: cost.repliesWithUnknownCost }),
    elapsed_ms: Math.round(outcome.elapsedMs),
    ...toTimingFields(outcome),
    ...(last?.status === 200 && last.batchId === undefined && { latency_ms: Math.round(last.elapsedMs) }),
    attempts: attempts.length,
    ...(cost.lostReplies > 0 && { lost_replies: cost.lostReplies }),
    request_id: last?.requestId ?? null,
    ...(last?.batchId !== undefined && {
      batch_id: last.batchId,
      ...(Number.isFinite(last.startedAt) && { submitted_at: new Date(last.startedAt).toISOString() }),
    }),
    ...(outcome.status === 'summarized' &&
      outcome.qualityIssues?.length && { quality_issues: outcome.qualityIssues }),
    ...(outcome.status === 'summarized' &&
      outcome.citations !== undefined && { citations: outcome.citations.map(toCitationFields) }),
    ...(outcome.status === 'summarized' &&
      outcome.reusedFrom !== undefined && { reused_from: outcome.reusedFrom.path }),
    ...(outcome.status === 'failed' && { error: toErrorFields(outcome.failure) }),
  }
}

function toTimingFields({ requestMetadata, attempts, elapsedMs }: Outcome) {
  const [first, last] = [attempts[0], attempts.at(-1)]
  if (first === undefined || last === undefined) return {}
  const retryMs = first === last ? 0 : computeSendGapMs(first, last)
  if (retryMs === undefined) return {}
  const waitMs = Math.max(0, Math.round(elapsedMs - retryMs - last.elapsedMs))
  // A document in chunks has other requests between the first and the last, not only retries.
  const hasRetries =
    requestMetadata?.chunks === undefined && attempts.some(({ error }) => error !== undefined)
  return { wait_ms: waitMs, ...(hasRetries && { retry_ms: Math.round(retryMs) }) }
}

/** Returns the milliseconds between the starts of two attempts; undefined if one has no monotonic time. */
function computeSendGapMs(first: Attempt, last: Attempt): number | undefined {
  if (first.monotonicStartMs === undefined || last.monotonicStartMs === undefined) return undefined
  // Attempts for several chunks are not in the order in which they were sent.
  return Math.max(0, last.monotonicStartMs - first.monotonicStartMs)
}

/** Types of skipped outcomes of documents that have a summary, unmodified or edited by hand. */
const keptSummaryTypes: ReadonlySet<string> = new Set(['unchanged', 'modified'])

function toFileStats({ size, mtimeMs }: Fingerprint) {
  return { size_bytes: size, ...(mtimeMs !== undefined && { mtime_ms: mtimeMs }) }
}

/** Returns the error without the request id, which has its own field, and with a shortened message. */
function toErrorFields({ kind, type, message, transient }: Failure): NonNullable<DocumentEntry['error']> {
  return { kind, type, message: truncate(message, 300), transient }
}
