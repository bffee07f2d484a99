import { citationShape } from '../citations/citation-fields.ts'
import { errorRecordSuffix, isErrorRecordName, isSummaryName } from '../document/output-path.ts'
import { qualityIssueTypes } from '../document/quality-checks.ts'
import { totalsShape } from '../pricing/totals.ts'
import { usageShape } from '../pricing/usage.ts'
import { limitFieldsShape } from '../rate-limit/limit-fields.ts'
import { apiProviders } from '../request/providers.ts'
import {
  amount,
  boolean,
  count,
  describe,
  listOf,
  nullable,
  objectOf,
  oneOf,
  optional,
  recordOf,
  type Shape,
  safeNumber,
  string,
  stringWithoutNul,
  type TypeOf,
  taggedUnion,
  timestamp,
  toJsonSchema,
  where,
} from '../text/shape.ts'

/**
 * Incremented by changes that another version of claude-batch would misread, but not for new fields.
 * `docs/ledger.md` describes the format.
 */
export const ledgerFormatVersion = 2

const formatVersion = oneOf(ledgerFormatVersion)

/** The start of a run. The entries until the next start belong to it. */
export const runStartShape = objectOf({
  type: oneOf('run_start'),
  format_version: formatVersion,
  run_id: string,
  started_at: timestamp,
  program_version: string,
  cwd: describe(
    stringWithoutNul,
    'the working directory that the paths of the run are relative to, relative to the output folder',
  ),
  prompt: describe(string, 'with its version: summarize@v2'),
  instructions: optional(
    describe(string, "the user's instructions in place of a prompt, or their first 500 characters"),
  ),
  model: string,
  simulated: optional(describe(oneOf(true), 'the replies came from the simulator, nothing was paid')),
  provider: optional(describe(oneOf(...apiProviders), 'the service that answered; anthropic if missing')),
})
export interface RunStart extends TypeOf<typeof runStartShape> {}

/** The end of a run, even if it was stopped early. A run that was killed has no such entry. */
const runEndShape = objectOf({
  type: oneOf('run_end'),
  format_version: formatVersion,
  run_id: string,
  ended_at: timestamp,
  stop_reason: optional(describe(string, 'why the run ended before everything was done')),
  duration_ms: safeNumber,
  documents: objectOf({ summarized: count, failed: count, skipped: count, pending: count }),
  skipped_by_reason: recordOf(count),
  not_read_by_extension: optional(
    describe(
      recordOf(count),
      'files of the searched folders that were not read because of their extension; (none) is without one',
    ),
  ),
  requests: count,
  retries_by_cause: recordOf(count),
  max_in_flight: count,
  limits: describe(limitFieldsShape, 'per minute: the limits that the run kept to'),
  limited_by: optional(describe(string, 'what limited the throughput, in words')),
})
export interface RunEnd extends TypeOf<typeof runEndShape> {}

/** The content of a file, and the size and time by which an edit is noticed. */
const fileContentFields = {
  size_bytes: count,
  mtime_ms: safeNumber,
  sha256: string,
  front_matter: optional(describe(oneOf(true), 'it begins with front matter')),
}

/** A file below the output folder. */
const outputFileShape = objectOf({
  path: describe(
    where(string, (path) => isSummaryName(path) || isErrorRecordName(path)),
    'below the output folder, with /',
  ),
  ...fileContentFields,
})
export interface OutputFile extends TypeOf<typeof outputFileShape> {}

/** A duration. It is negative if the clock was set back, and null (NaN) for a batch without times. */
const duration = nullable(safeNumber)

/** The error of a failed document. The request id is in a separate field. */
export const errorShape = objectOf({
  kind: describe(
    { matches: isErrorKind, schema: { type: ['string', 'integer'] } },
    'an HTTP status, or the part that failed',
  ),
  type: string,
  message: string,
  transient: describe(boolean, 'whether the same run may succeed later'),
})

/** A document that a run has finished, or has sent a request for. */
export const documentEntryShape = objectOf({
  type: oneOf('document'),
  format_version: formatVersion,
  path: describe(
    stringWithoutNul,
    'of the document: relative to the working directory of the run, or absolute',
  ),
  status: describe(
    oneOf('summarized', 'failed', 'pending'),
    'pending only where a request was sent, which may be billed',
  ),
  ended_at: timestamp,
  size_bytes: optional(
    describe(count, 'absent, like mtime_ms and sha256, where the document could not be read'),
  ),
  mtime_ms: optional(describe(safeNumber, 'milliseconds since 1970; absent for stdin')),
  sha256: optional(string),
  request_hash: optional(describe(string, 'of everything that shapes the reply')),
  settings_hash: describe(string, 'of everything that shapes the reply, except the document'),
  prompt: describe(string, 'with its version: summarize@v2'),
  model: string,
  characters: optional(describe(count, 'of the whole prompt that was sent')),
  text_kind: optional(oneOf('prose', 'code', 'cjk')),
  chunks: optional(describe(count, 'number of chunks; absent if the document fit into one request')),
  usage: describe(nullable(usageShape), 'over all attempts; null where the API counted none of the replies'),
  cost_usd: describe(nullable(amount), 'over all attempts; null where no cost is known'),
  replies_with_unknown_cost: optional(
    describe(count, 'replies that are missing, in whole or in part, from usage and cost_usd'),
  ),
  elapsed_ms: describe(duration, 'from its start to its end, including waits'),
  wait_ms: optional(describe(duration, 'from its start to its first request')),
  retry_ms: optional(describe(duration, 'from its first request to its last')),
  latency_ms: optional(
    describe(duration, 'of the last request, from sending it to the last byte of the reply'),
  ),
  attempts: count,
  lost_replies: optional(
    describe(count, 'attempts whose reply was lost in transit; they may be billed, and are not in usage'),
  ),
  request_id: nullable(string),
  batch_id: optional(describe(string, 'the Message Batch that it was in')),
  submitted_at: optional(describe(timestamp, 'when that batch was created')),
  quality_issues: optional(
    describe(listOf(string), `why the summary may be wrong: ${qualityIssueTypes.join(', ')}`),
  ),
  citations: optional(
    describe(listOf(citationShape), 'the passages that support the summary, if they were asked for'),
  ),
  reused_from: optional(
    describe(string, 'the document whose summary it is: the content is the same, so nothing was sent'),
  ),
  output: optional(describe(outputFileShape, 'the file that was written for it')),
  error: optional(errorShape),
})
export interface DocumentEntry extends TypeOf<typeof documentEntryShape> {}

/** A document that looked changed but was not: its summary is up to date for this size, time and settings. */
const unchangedEntryShape = objectOf({
  type: oneOf('unchanged'),
  format_version: formatVersion,
  path: stringWithoutNul,
  at: timestamp,
  size_bytes: count,
  mtime_ms: optional(safeNumber),
  request_hash: string,
  settings_hash: string,
  output: optional(describe(objectOf(fileContentFields), 'its file, if front matter was added')),
})
export interface UnchangedEntry extends TypeOf<typeof unchangedEntryShape> {}

/** A document whose stale summary was deleted: it counts as never summarized. */
const prunedEntryShape = objectOf({
  type: oneOf('pruned'),
  format_version: formatVersion,
  path: stringWithoutNul,
  at: timestamp,
})
export interface PrunedEntry extends TypeOf<typeof prunedEntryShape> {}

/** The totals of entries of the run that were superseded, and removed by compaction. */
const compactedEntryShape = objectOf({
  type: oneOf('compacted'),
  format_version: formatVersion,
  at: timestamp,
  totals: totalsShape,
})
export interface CompactedEntry extends TypeOf<typeof compactedEntryShape> {}

/** The entry of a document that has a summary, with the fields that are needed to find it again. */
export type SummarizedEntry = DocumentEntry &
  Required<Pick<DocumentEntry, 'size_bytes' | 'request_hash' | 'output'>>

/** Whether the entry is about a document with a summary. */
export function isSummarized(entry: DocumentEntry): entry is SummarizedEntry {
  return entry.status === 'summarized'
}

/** A line of the ledger. */
export type LedgerEntry = RunStart | RunEnd | DocumentEntry | UnchangedEntry | PrunedEntry | CompactedEntry

/** The shape of a ledger entry: it checks every field that the code relies on. */
export const ledgerEntryShape: Shape<LedgerEntry> = taggedUnion<Shape<LedgerEntry>>('type', {
  run_start: runStartShape,
  run_end: runEndShape,
  document: where(documentEntryShape, canFindSummary),
  unchanged: unchangedEntryShape,
  pruned: prunedEntryShape,
  compacted: compactedEntryShape,
})

/** The JSON Schema of a ledger entry; shipped as `dist/schemas/ledger.json`. */
export const ledgerSchema = toJsonSchema(ledgerEntryShape, {
  title: 'a line of the ledger of claude-batch (.claude-batch/ledger.jsonl)',
  description: 'Costs are US dollars, times are milliseconds or ISO 8601; null is unknown.',
})

function canFindSummary({ status, size_bytes, request_hash, output }: DocumentEntry): boolean {
  if (status !== 'summarized') return true
  if (size_bytes === undefined || request_hash === undefined || output === undefined) return false
  // The shape of the output file also allows an error record.
  return !output.path.endsWith(errorRecordSuffix)
}

function isErrorKind(kind: unknown): kind is string | number {
  return string.matches(kind) || safeNumber.matches(kind)
}
