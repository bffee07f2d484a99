import { qualityIssueTypes } from '../core/document/quality-checks.ts'
import { usageShape } from '../core/pricing/usage.ts'
import { runStartShape } from '../core/run/ledger-entry.ts'
import { outcomeShape } from '../core/run/outcome-fields.ts'
import {
  amount,
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
  taggedUnion,
  timestamp,
  toJsonSchema,
} from '../core/text/shape.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields or events. */
export const runEventFormatVersion = 1

const commonFields = { format_version: oneOf(runEventFormatVersion), at: timestamp }
const { run_id, prompt, model, simulated } = runStartShape.fields

const startedShape = objectOf({
  event: oneOf('started'),
  ...commonFields,
  documents: describe(count, 'to process'),
  skipped: describe(count, 'documents that need no work, such as unchanged ones'),
  run_id: optional(
    describe(run_id, 'this and the next three: absent in a comparison, which has several runs'),
  ),
  prompt: optional(prompt),
  model: optional(model),
  simulated: optional(simulated),
})

const documentShape = objectOf({
  event: oneOf('document'),
  ...commonFields,
  ...outcomeShape.fields,
  summary_file: optional(
    describe(string, 'of a summarized document: relative to the working directory, or absolute'),
  ),
  quality_issues: optional(
    describe(listOf(string), `why the summary may be wrong: ${qualityIssueTypes.join(', ')}`),
  ),
  progress: describe(
    objectOf({
      done: count,
      total: count,
      failed: count,
      cost_usd: amount,
      remaining_ms: describe(nullable(amount), 'null as long as nothing is known'),
    }),
    'of the run, with this document',
  ),
})

const pauseShape = objectOf({
  event: oneOf('pause'),
  ...commonFields,
  duration_ms: describe(amount, 'how long no request is sent'),
  reason: string,
})

const messageShape = objectOf({
  event: oneOf('message'),
  ...commonFields,
  text: describe(string, 'a warning, a note or an error, for people'),
})

const endShape = objectOf({
  event: oneOf('end'),
  ...commonFields,
  exit_code: describe(count, 'of the process'),
  results: optional(
    describe(
      objectOf({
        documents: objectOf({ summarized: count, failed: count, skipped: count, pending: count }),
        skipped_by_reason: recordOf(count),
        requests: count,
        usage: usageShape,
        cost_usd: describe(amount, 'without the replies whose cost is unknown'),
        replies_with_unknown_cost: count,
      }),
      'of the run and its digests; absent if the run did not start',
    ),
  ),
})

const runEventShape = taggedUnion('event', {
  started: startedShape,
  document: documentShape,
  pause: pauseShape,
  message: messageShape,
  end: endShape,
})

/** Something that happened in a run, for other programs. Times are ISO 8601, costs USD. */
export type RunEvent = TypeOf<typeof runEventShape>

/** The JSON Schema of an event; shipped as `dist/schemas/progress.json`. */
export const runEventSchema = toJsonSchema(runEventShape, {
  title: 'a line of claude-batch summarize --progress json',
  description: 'One line on stderr per event. Costs are US dollars.',
})
