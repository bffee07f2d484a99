import type { DocumentRef, InputProblem } from '../document/document.ts'
import { classifyError, isTransient } from '../errors/classify-error.ts'
import { toFailure } from '../errors/failure.ts'
import type { RequestError } from '../errors/request-error.ts'
import { createPriceOf, type PriceOf } from '../pricing/pricing-rules.ts'
import type { AnswerChecks } from '../request/answer-settings.ts'
import type { Attempt } from '../request/attempt.ts'
import { createSchemaFailure, findReplyFailure } from '../request/reply.ts'
import type { Failed, Outcome } from '../run/outcome.ts'
import type { Batch, BatchItem, BatchResult, UnreadableResult } from './batch.ts'

/** A document of a batch that has ended. */
export interface EndedBatchItem {
  readonly source: DocumentRef
  readonly item: BatchItem
  readonly batch: Pick<Batch, 'id' | 'createdAt' | 'endedAt'>
}

/**
 * A document without a reply that was not billed, so it is sent again. `accountError` is set if the error
 * concerns all documents.
 */
export interface NoAnswer {
  readonly noAnswerReason: string
  readonly accountError?: RequestError
}

/**
 * Converts the result of a request to the outcome of its document.
 * @param result of the request; `results_expired` if the API has deleted the results of the batch
 */
export function toBatchOutcome(
  endedItem: EndedBatchItem,
  result: BatchResult | 'results_expired',
  priceOf: PriceOf,
  findMismatch: AnswerChecks['findMismatch'],
): Outcome | NoAnswer {
  const { item, batch } = endedItem
  if (result === 'results_expired') return toExpiredOutcome(endedItem)
  if (result === 'canceled' || result === 'expired')
    return { noAnswerReason: `${result} in the batch ${batch.id}` }
  if ('unreadableReason' in result) return toUnreadableOutcome(endedItem, result)
  if ('requestError' in result) {
    const { requestError } = result
    if (isTransient(requestError)) return { noAnswerReason: `${requestError.type} in the batch ${batch.id}` }
    if (classifyError(requestError) === 'account')
      return { noAnswerReason: requestError.message, accountError: requestError }
    return {
      ...createOutcomeBase(endedItem, { error: requestError }),
      status: 'failed',
      failure: toFailure(requestError),
    }
  }
  const { text, model, usage, terms } = result.reply
  const requestedModel = item.asked.provenance.model
  const { maxTokens, price } = item.asked.answerSettings
  const priceFor = price === undefined ? priceOf : createPriceOf({ [requestedModel]: price })
  const cost = usage && priceFor({ model, requestedModel, usage, ...(terms && { terms }) })
  const answeredBase = createOutcomeBase(endedItem, {
    model,
    status: 200,
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost }),
  })
  const replyFailure = findReplyFailure(result.reply, maxTokens)
  const mismatch = replyFailure === undefined ? findMismatch(text) : undefined
  const failure = mismatch === undefined ? replyFailure : createSchemaFailure(mismatch)
  if (failure !== undefined) return { ...answeredBase, status: 'failed', failure, partialText: text }
  return { ...answeredBase, status: 'summarized', text }
}

/** Returns the outcome of a summary that may not overwrite a file: its text goes into the error record. */
export function toConflictOutcome(
  outcome: Extract<Outcome, { status: 'summarized' }>,
  { action, type, message: problem }: InputProblem,
): Outcome {
  const { text, ...rest } = outcome
  const message = action === 'fail' ? problem : 'its summary was edited by hand while a new one was created'
  const failure = { kind: 'output', type, message, transient: false } as const
  return { ...rest, status: 'failed', failure, partialText: text }
}

/** Returns the outcome of a document whose result expired. It may have been billed. */
function toExpiredOutcome(endedItem: EndedBatchItem): Outcome {
  const message = `the results of the batch ${endedItem.batch.id} are gone, 29 days after it was created; next time, it is sent, and paid for, again`
  return toLostOutcome(endedItem, { kind: 'malformed', type: 'results_gone', message })
}

/** Returns the outcome of a document whose result cannot be read. It may have been billed. */
function toUnreadableOutcome(
  endedItem: EndedBatchItem,
  { unreadableReason, line }: UnreadableResult,
): Outcome {
  const message = `${unreadableReason} (batch ${endedItem.batch.id}); next time, it is sent, and paid for, again`
  return {
    ...toLostOutcome(endedItem, { kind: 'malformed', type: 'batch_result_unreadable', message }),
    partialText: line,
  }
}

function toLostOutcome(endedItem: EndedBatchItem, requestError: RequestError): Failed {
  const { type, message } = requestError
  const failure = { kind: 'reply', type, message, transient: false } as const
  return { ...createOutcomeBase(endedItem, { error: requestError }), status: 'failed', failure }
}

/** Returns the outcome of a document that must be sent again. */
export function toPendingOutcome({ source: document, item, batch }: EndedBatchItem, reason: string): Outcome {
  return {
    document,
    requestMetadata: item.asked,
    attempts: [],
    elapsedMs: computeDurationMs(batch),
    status: 'pending',
    reason,
    deferred: true,
  }
}

function createOutcomeBase({ source, item, batch }: EndedBatchItem, answer: Partial<Attempt>) {
  const { id, createdAt } = batch
  const elapsedMs = computeDurationMs(batch)
  const attempt: Attempt = {
    path: item.path,
    attemptNumber: 1,
    startedAt: createdAt,
    elapsedMs,
    model: item.asked.provenance.model,
    batchId: id,
    ...(answer.error?.status !== undefined && { status: answer.error.status }),
    ...answer,
  }
  return { document: source, requestMetadata: item.asked, attempts: [attempt], elapsedMs }
}

/** Returns milliseconds by the clock of the API; 0 if there is no end time, or the clock was set back. */
function computeDurationMs({ createdAt, endedAt = createdAt }: EndedBatchItem['batch']): number {
  return endedAt > createdAt ? endedAt - createdAt : 0
}
