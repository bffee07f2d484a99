import { qualityIssueTypes } from '../document/quality-checks.ts'
import { totalsShape } from '../pricing/totals.ts'
import { limitFieldsShape } from '../rate-limit/limit-fields.ts'
import { apiProviders } from '../request/providers.ts'
import { documentEntryShape } from '../run/ledger-entry.ts'
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
  string,
  type TypeOf,
  toJsonSchema,
} from '../text/shape.ts'
import { distributionShape } from './distribution.ts'
import { timelineShape } from './timeline.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
export const reportFormatVersion = 2

const sumFields = {
  summarized: count,
  failed: count,
  pending: describe(count, 'stopped after a request was sent'),
  input_tokens: describe(count, 'all input, including what was read from or written to the prompt cache'),
  output_tokens: count,
  cost_usd: describe(nullable(amount), 'the sum of the known costs; null if no cost is known'),
  documents_with_unknown_cost: describe(count, 'documents whose cost is unknown, in whole or in part'),
}

const sumsShape = objectOf(sumFields)
export interface ReportSums extends TypeOf<typeof sumsShape> {}

const groupShape = objectOf({ name: string, ...sumFields })
export interface ReportGroup extends TypeOf<typeof groupShape> {}

const { usage, lost_replies } = totalsShape.fields

const runRowShape = objectOf({
  run_id: string,
  started_at: string,
  ended_at: nullable(string),
  stop_reason: describe(nullable(string), 'why the run ended before everything was done'),
  prompt: string,
  instructions: describe(
    nullable(string),
    "the user's instructions in place of a prompt, or their first 500 characters",
  ),
  model: string,
  simulated: boolean,
  provider: describe(oneOf(...apiProviders), 'the service that answered, unless the run was simulated'),
  ...sumFields,
  duration_ms: nullable(amount),
  requests: nullable(count),
  retries_by_cause: nullable(recordOf(count)),
  skipped_by_reason: nullable(recordOf(count)),
  not_read_by_extension: describe(
    nullable(recordOf(count)),
    'files of the searched folders that were not read because of their extension; (none) is without one',
  ),
  total_pending: describe(
    nullable(count),
    'documents that were pending at the end, including those for which nothing was sent',
  ),
  max_in_flight: nullable(count),
  limits: nullable(limitFieldsShape),
  limited_by: nullable(string),
})
/** A run. Fields that are unknown because the run was killed are `null`. */
export interface RunRow extends TypeOf<typeof runRowShape> {}

const errorGroupShape = objectOf({
  error: describe(string, '400 invalid_request_error: …'),
  count,
  transient: describe(boolean, 'whether the same run may succeed later'),
  example_paths: listOf(string),
})
export interface ErrorGroup extends TypeOf<typeof errorGroupShape> {}

const timeBreakdownShape = objectOf({
  queued_ms: describe(amount, 'from the start of the run to the start of the document'),
  throttled_ms: describe(
    amount,
    'from the start of the document to its first request: reading, and waiting for rate limit or budget',
  ),
  retries_ms: describe(amount, 'from the first request to the last'),
  api_ms: describe(amount, 'the last request'),
})
/** The time of all documents, divided by activity. */
export interface TimeBreakdown extends TypeOf<typeof timeBreakdownShape> {}

const entryFields = documentEntryShape.fields

const documentRowShape = objectOf({
  path: string,
  status: entryFields.status,
  simulated: describe(boolean, 'whether the reply came from the simulator, so that its cost was not paid'),
  ended_at: string,
  prompt: string,
  model: string,
  input_tokens: describe(nullable(count), 'null where the API did not count them'),
  output_tokens: nullable(count),
  cost_usd: entryFields.cost_usd,
  replies_with_unknown_cost: describe(
    count,
    'replies that are missing, in whole or in part, from the tokens and the cost',
  ),
  attempts: count,
  wait_ms: nullable(amount),
  retry_ms: nullable(amount),
  latency_ms: nullable(amount),
  quality_issues: describe(listOf(string), `why the summary may be wrong: ${qualityIssueTypes.join(', ')}`),
  citations: entryFields.citations,
  batch_id: describe(nullable(string), 'the Message Batch that it was in'),
  error: nullable(string),
  output_path: describe(nullable(string), 'of the summary or the error record, below the output folder'),
  output_text: optional(describe(string, 'the content of the file at output_path, without front matter')),
})
export interface DocumentRow extends TypeOf<typeof documentRowShape> {}

const folderStateShape = objectOf({
  summarized: count,
  failed: describe(count, 'documents whose last attempt failed'),
  pending: describe(count, 'documents for which a request was sent, without a result'),
  not_reached: describe(
    count,
    'documents that the last run did not get to; those with an older summary are in summarized, too',
  ),
})
/** The documents of an output folder, counted by their state. */
export interface FolderState extends TypeOf<typeof folderStateShape> {}

const reportShape = objectOf({
  format: oneOf('claude-batch report'),
  format_version: oneOf(reportFormatVersion),
  created_at: string,
  program_version: string,
  simulated: describe(boolean, 'whether the runs were simulated, so that nothing was paid'),
  output_folder: describe(
    nullable(folderStateShape),
    'all documents of the output folder after its last run; null for stdout, for an earlier run and for several folders',
  ),
  totals: objectOf({ ...sumFields, usage, lost_replies }),
  runs: listOf(runRowShape),
  groups: describe(
    objectOf({
      day: listOf(groupShape),
      month: listOf(groupShape),
      model: listOf(groupShape),
      prompt: listOf(groupShape),
      folder: listOf(groupShape),
    }),
    'the same totals by day, month, model, prompt and folder; days and months in order, otherwise the most expensive first',
  ),
  errors: listOf(errorGroupShape),
  latency: describe(nullable(distributionShape), 'of the replies'),
  time: timeBreakdownShape,
  timeline: describe(nullable(timelineShape), 'of a single run'),
  documents: describe(
    listOf(documentRowShape),
    'the last known state of each document; in the report of a single run, what that run did',
  ),
})

/**
 * A report about one or more runs: the content of the JSON report, and the data of the HTML and Markdown
 * reports. See `docs/report.md`. Costs are USD, exact to the last digit; `null` is unknown. Times are
 * milliseconds or ISO 8601.
 */
export interface ReportJson extends TypeOf<typeof reportShape> {}

/** The JSON Schema of a report; shipped as `dist/schemas/report.json`. */
export const reportSchema = toJsonSchema(reportShape, {
  title: 'a report of claude-batch',
  description: 'Costs are US dollars, times are milliseconds or ISO 8601; null is unknown.',
})
