import { qualityIssueTypes } from '../document/quality-checks.ts'
import { reportFormatVersion } from './report-json.ts'

const text = { type: 'string' }
const count = { type: 'integer', minimum: 0 }
const amount = { type: 'number', minimum: 0 }
const counts = { type: 'object', additionalProperties: count }
const arrayOf = (items: object) => ({ type: 'array', items })
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] })
/** Every field is there, and no other. */
const closedObject = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
})

const sums = {
  summarized: count,
  failed: count,
  pending: count,
  tokens_in: count,
  tokens_out: count,
  cost_usd: orNull({ ...amount, description: 'without what is unknown' }),
  unknown_cost: { ...count, description: 'outcomes whose cost is unknown, in whole or in part' },
}
const limits = { requests: amount, inputTokens: amount, outputTokens: amount }
const group = closedObject({ name: text, ...sums })

/** The JSON Schema of a {@link ReportFile}; shipped as `dist/schemas/report.json`. */
export const reportSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'a report of claude-batch',
  description: 'Money is US dollars, times are milliseconds or ISO 8601; null is unknown.',
  ...closedObject({
    format: { const: 'claude-batch report' },
    version: { const: reportFormatVersion },
    made: text,
    program: text,
    simulated: { type: 'boolean', description: 'nobody was paid for any of it' },
    totals: closedObject({
      ...sums,
      usage: closedObject({
        input: count,
        cacheWrite5m: count,
        cacheWrite1h: count,
        cacheRead: count,
        output: count,
      }),
      lost: {
        ...count,
        description: 'requests whose answer was lost; they may be billed, and are in no sum',
      },
    }),
    runs: arrayOf(
      closedObject({
        run: text,
        began: text,
        ended: orNull(text),
        stopped: orNull({ ...text, description: 'why it ended before everything was done' }),
        prompt: text,
        model: text,
        simulated: { type: 'boolean' },
        ...sums,
        wall_ms: orNull(amount),
        requests: orNull(count),
        retries: orNull(counts),
        skipped: orNull(counts),
        not_done: orNull(count),
        most_in_flight: orNull(count),
        limits: orNull(closedObject(limits, Object.keys(limits))),
        bound_by: orNull(text),
      }),
    ),
    by: closedObject({
      day: arrayOf(group),
      model: arrayOf(group),
      prompt: arrayOf(group),
      folder: arrayOf(group),
    }),
    errors: arrayOf(
      closedObject({ error: text, count, transient: { type: 'boolean' }, paths: arrayOf(text) }),
    ),
    latency: orNull(
      closedObject({
        count,
        p50: amount,
        p95: amount,
        p99: amount,
        most: amount,
        step_ms: amount,
        bins: arrayOf(count),
      }),
    ),
    time: closedObject({ slot_ms: amount, limit_ms: amount, retries_ms: amount, service_ms: amount }),
    timeline: orNull(
      closedObject({
        began: text,
        step_ms: amount,
        finished: arrayOf(count),
        in_flight: arrayOf(amount),
        tokens_in: arrayOf(count),
        tokens_out: arrayOf(count),
      }),
    ),
    documents: arrayOf(
      closedObject(
        {
          path: text,
          status: { enum: ['summarized', 'failed', 'pending'] },
          time: text,
          prompt: text,
          model: text,
          tokens_in: orNull(count),
          tokens_out: orNull(count),
          cost_usd: orNull(amount),
          uncounted: { ...count, description: 'answers that are not, or not wholly, in tokens and cost' },
          attempts: count,
          wait_ms: orNull(amount),
          retry_ms: orNull(amount),
          latency_ms: orNull(amount),
          doubts: arrayOf({ enum: qualityIssueTypes }),
          batch: orNull({ ...text, description: 'the Message Batch it came out of' }),
          error: orNull(text),
          file: orNull({ ...text, description: 'of the summary or the record, below the output folder' }),
          text: { ...text, description: 'what is in that file, in a page' },
        },
        ['text'],
      ),
    ),
  }),
}
