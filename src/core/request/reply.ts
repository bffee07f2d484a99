import type { Failure } from '../errors/failure.ts'
import type { BillingTerms } from '../pricing/pricing-rules.ts'
import type { Usage } from '../pricing/usage.ts'
import type { RateLimits } from '../rate-limit/parse-rate-limits.ts'
import type { Attempt } from './attempt.ts'

/** What a model answered: whole as far as the wire goes, though perhaps not a summary (see {@link findReplyFailure}). */
export interface Reply {
  /** All text blocks joined. */
  readonly text: string
  readonly stopReason: string | null
  /** For a refusal: its category and explanation. */
  readonly stopDetail?: string
  /** The model that answered, which prices the reply. */
  readonly model: string
  /** Undefined when the server did not count. */
  readonly usage?: Usage
  /** What that was billed on, where it is not simply the list price. */
  readonly terms?: BillingTerms
  readonly requestId?: string
  /** The account's limits as the response's headers told them. */
  readonly limits?: RateLimits
  /** Milliseconds from sending to the first piece of text; only for streamed replies. */
  readonly firstTokenMs?: number
  /** Every sending it took, this one last; filled in by the layers around the client. */
  readonly attempts: readonly Attempt[]
}

/** An answer that was to fit a schema and does not; it was paid for, and the same question may end the same way. */
export function createSchemaFailure(message: string, requestId?: string): Failure {
  return {
    kind: 'reply',
    type: 'schema',
    message,
    transient: false,
    ...(requestId !== undefined && { requestId }),
  }
}

/**
 * Why a reply is no summary: only `end_turn` (or `stop_sequence`) with text is complete. Anything else was paid for
 * and is kept, but never passes for a result. Not retried: the same question would end the same way.
 * @see https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
 */
export function findReplyFailure(reply: Reply, maxTokens: number): Failure | undefined {
  const createFailure = (type: string, message: string): Failure => ({
    kind: 'reply',
    type,
    message,
    transient: false,
    ...(reply.requestId !== undefined && { requestId: reply.requestId }),
  })
  switch (reply.stopReason) {
    case 'end_turn':
    case 'stop_sequence':
      return reply.text.trim() === ''
        ? createFailure('empty', 'the model answered without any text')
        : undefined
    case 'max_tokens':
      return createFailure('max_tokens', `cut off at ${maxTokens} output tokens`)
    case 'model_context_window_exceeded':
      return createFailure(
        'model_context_window_exceeded',
        "the model's window was full before the summary ended; split the document",
      )
    case 'refusal':
      return createFailure(
        'refusal',
        `the model declined${reply.stopDetail ? ` (${reply.stopDetail})` : ''}; try another model or prompt`,
      )
    default:
      return createFailure(
        'unexpected_stop',
        `the model stopped with ${JSON.stringify(reply.stopReason)}, which is not a finished summary`,
      )
  }
}
