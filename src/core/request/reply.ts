import type { ReportedCitation } from '../citations/citation.ts'
import type { Failure } from '../errors/failure.ts'
import type { BillingTerms } from '../pricing/pricing-rules.ts'
import type { Usage } from '../pricing/usage.ts'
import type { RateLimits } from '../rate-limit/parse-rate-limits.ts'
import type { Attempt } from './attempt.ts'

/** A complete answer of the API. Its text is not always a summary; see {@link findReplyFailure}. */
export interface Reply {
  /** All text blocks joined. */
  readonly text: string
  /** The passages that the API names as support for parts of the text; undefined without any. */
  readonly citations?: readonly ReportedCitation[]
  readonly stopReason: string | null
  /** For a refusal: its category and explanation. */
  readonly stopDetail?: string
  /** The model that replied; it decides the price. */
  readonly model: string
  /** Undefined if the server returned no token counts. */
  readonly usage?: Usage
  /** Billing terms of `usage`, if they change the list price. */
  readonly terms?: BillingTerms
  readonly requestId?: string
  /** The rate limits of the account, from the response headers. */
  readonly limits?: RateLimits
  /** The server's time when it replied, in milliseconds since 1970; only for token counts. */
  readonly serverTimeMs?: number
  /** Milliseconds from sending the request to the first piece of text; only for streamed replies. */
  readonly firstTokenMs?: number
  /** All attempts, ending with the one that got this reply; set by the middleware around the client. */
  readonly attempts: readonly Attempt[]
}

/**
 * Returns the failure of a reply that does not match its schema. It is not transient: the reply was paid for,
 * and the same request may end the same way.
 */
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
 * Returns why a reply is not a summary; undefined if it is one. Only `end_turn` or `stop_sequence` with text
 * is complete. Other replies were paid for, so their text is kept, but not as a summary. They are not
 * retried, because the same request would end the same way.
 * @param maxTokens the limit of the request: output tokens
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
        ? createFailure('empty', 'the model answered without any text; try another model or prompt')
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
