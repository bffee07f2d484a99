import { sumAttemptCosts, toUsdOrNull } from '../pricing/document-cost.ts'
import { usageShape } from '../pricing/usage.ts'
import {
  amount,
  count,
  describe,
  nullable,
  objectOf,
  oneOf,
  optional,
  string,
  type TypeOf,
} from '../text/shape.ts'
import { errorShape } from './ledger-entry.ts'
import type { Outcome } from './outcome.ts'

const reasonShape = objectOf({ type: string, message: string })

/** The outcome of a document for other programs, without its summary. */
export const outcomeShape = objectOf({
  path: string,
  status: oneOf('summarized', 'failed', 'skipped', 'pending'),
  error: optional(
    describe(
      objectOf({
        ...errorShape.fields,
        request_id: nullable(string),
        partial: optional(describe(string, 'text that was paid for, such as a summary that was cut off')),
      }),
      'of a failed document',
    ),
  ),
  reason: optional(describe(reasonShape, 'of a skipped or pending document')),
  model: optional(describe(string, 'this and request_id: absent where nothing was sent')),
  request_id: optional(nullable(string)),
  usage: optional(
    describe(
      nullable(usageShape),
      'this and cost_usd: absent where there was no reply, null where it is unknown',
    ),
  ),
  cost_usd: optional(nullable(amount)),
  attempts: count,
  elapsed_ms: describe(
    nullable(amount),
    'from the start of the document to its end, including waits; null where it is unknown',
  ),
})
type OutcomeFields = TypeOf<typeof outcomeShape>

/** Returns the fields of an outcome. Costs are USD. */
export function toOutcomeFields(outcome: Outcome): OutcomeFields {
  const { document, status, attempts, elapsedMs } = outcome
  const last = attempts.at(-1)
  const { usage, cost } = sumAttemptCosts(attempts)
  return {
    path: document.path,
    status,
    ...explainStatus(outcome),
    ...(last !== undefined && { model: last.model, request_id: last.requestId ?? null }),
    ...(attempts.some(({ error }) => error === undefined) && {
      usage: usage ?? null,
      cost_usd: toUsdOrNull({ cost }),
    }),
    attempts: attempts.length,
    elapsed_ms: Number.isFinite(elapsedMs) ? Math.max(0, Math.round(elapsedMs)) : null,
  }
}

function explainStatus(outcome: Outcome): Pick<OutcomeFields, 'error' | 'reason'> {
  switch (outcome.status) {
    case 'summarized':
      return {}
    case 'failed': {
      const { kind, type, message, requestId, transient } = outcome.failure
      const error = { kind, type, message, request_id: requestId ?? null, transient }
      return { error: outcome.partialText ? { ...error, partial: outcome.partialText } : error }
    }
    case 'skipped':
      return { reason: { type: outcome.type, message: outcome.reason } }
    case 'pending':
      return { reason: { type: 'stopped', message: outcome.reason } }
  }
}
