import type { ChunkPlan } from '../core/chunking/chunk-plan.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { QualityIssue } from '../core/document/quality-checks.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { toFailure } from '../core/errors/failure.ts'
import { RunError } from '../core/errors/run-error.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { createSchemaFailure, findReplyFailure, type Reply } from '../core/request/reply.ts'
import type { Request } from '../core/request/request.ts'
import type { Clock } from '../core/run/clock.ts'
import type { Outcome, RequestMetadata } from '../core/run/outcome.ts'
import { mapReduce } from './map-reduce.ts'
import type { Semaphore } from './middleware/semaphore.ts'
import {
  buildDocumentRequest,
  findReasonNotToSend,
  type PrepareOptions,
  toOutcomeWithoutRequest,
} from './prepare.ts'
import { runPool } from './run-pool.ts'
import { type RequestsInFlight, shareRequest } from './share-requests.ts'
import type { Shutdown } from './shutdown.ts'
import { type AddHint, withFailureHint } from './with-failure-hint.ts'

/** The documents, functions and limits of a run. */
export interface SummarizeJob<Given extends DocumentRef = DocumentRef> extends PrepareOptions<Given> {
  readonly sources: Iterable<Given> | AsyncIterable<Given>
  /** Sends a request. The engine holds a permit during the call. */
  readonly ask: Ask
  /** Makes documents with the same request share one reply. Default: each document sends its own request. */
  readonly inFlight?: RequestsInFlight
  /** Sends a chunk, or takes it from the chunk cache; acquires its own permits. Default: `ask`. */
  readonly askChunk?: Ask
  /**
   * Returns why a complete answer is invalid, or undefined if it is valid. Default: every answer is valid.
   */
  readonly findMismatch?: (text: string, path: string) => string | undefined
  /** Called with each outcome before the next document starts; it may drain the run. */
  readonly onOutcome?: (outcome: Outcome) => void
  /** Returns the issues that the quality checks find in a summary. @param document its text, if available */
  readonly checkQuality?: (summary: string, document: string | undefined) => readonly QualityIssue[]
  /** Saves an outcome before its permit is released, so a crash costs at most one reply per permit. */
  readonly persist?: (outcome: Outcome) => Promise<unknown>
  /** Adds to a failure what the user can do about it. Default: adds nothing. */
  readonly addHint?: AddHint
  /** Describes a request error that ends the run, because it concerns the account or the setup. */
  readonly toRunError: (error: AskError) => RunError
  /** Gives permits to requests, and limits how many documents are open. */
  readonly semaphore: Semaphore
  /** See `PoolOptions.maxLead`. */
  readonly maxLead?: number
  readonly shutdown: Shutdown
  readonly clock: Clock
}

/**
 * Yields one outcome per source, as they finish. Never throws for a document. An error that ends the run
 * stops it through `shutdown`, and unfinished documents are yielded as pending.
 */
export function summarizeDocuments<Given extends DocumentRef>(
  job: SummarizeJob<Given>,
): AsyncGenerator<Outcome> {
  const { semaphore, maxLead, sources } = job
  const limits = { getLimit: semaphore.getMaxOpenDocuments, onLimitIncrease: semaphore.onPlaceAdded }
  return runPool(sources, maxLead === undefined ? limits : { ...limits, maxLead }, (source) =>
    summarizeOne(source, job),
  )
}

async function summarizeOne<Given extends DocumentRef>(
  source: Given,
  job: SummarizeJob<Given>,
): Promise<Outcome> {
  const { shutdown, semaphore, clock } = job
  const start = clock.now()
  let asked: RequestMetadata | undefined
  let document: string | undefined
  const createBase = (attempts: readonly Attempt[]) => ({
    document: source,
    ...(asked !== undefined && { requestMetadata: asked }),
    attempts,
    elapsedMs: clock.now() - start,
  })
  const createPendingOutcome = (attempts: readonly Attempt[] = []): Outcome => ({
    ...createBase(attempts),
    status: 'pending',
    reason: shutdown.drainSignal.reason instanceof Error ? shutdown.drainSignal.reason.message : 'stopped',
  })

  const createOutcome = (reply: Reply, maxTokens: number, requestMetadata: RequestMetadata): Outcome => {
    const { text, attempts } = reply
    const replyFailure = findReplyFailure(reply, maxTokens)
    const mismatch = replyFailure === undefined ? job.findMismatch?.(text, source.path) : undefined
    const failure = mismatch === undefined ? replyFailure : createSchemaFailure(mismatch, reply.requestId)
    if (failure === undefined) {
      const qualityIssues = job.checkQuality?.(text, document) ?? []
      return {
        ...createBase(attempts),
        requestMetadata,
        status: 'summarized',
        text,
        ...(qualityIssues.length > 0 && { qualityIssues }),
      }
    }
    return { ...createBase(attempts), status: 'failed', failure, partialText: text }
  }

  /**
   * Returns the result of `work`, or the outcome that follows from its error. An error that shows a bug is
   * rethrown.
   */
  const catchAsOutcome = async <T>(work: () => Promise<T>): Promise<T | Outcome> => {
    try {
      return await work()
    } catch (thrown) {
      const attempts = thrown instanceof AskError || thrown instanceof StoppedError ? thrown.attempts : []
      const error = thrown instanceof StoppedError ? thrown.cause : thrown
      if (error instanceof RunError) shutdown.drain(error)
      else if (error instanceof AskError && classifyError(error.requestError) === 'account')
        shutdown.drain(job.toRunError(error))
      else if (error instanceof AskError)
        return { ...createBase(attempts), status: 'failed', failure: toFailure(error.requestError) }
      else if (!isShutdownReason(error)) throw error
      return createPendingOutcome(attempts)
    }
  }
  const isShutdownReason = (error: unknown) =>
    error === shutdown.drainSignal.reason || error === shutdown.abortSignal.reason
  const deliver = async (outcome: Outcome): Promise<Outcome> => {
    job.onOutcome?.(outcome)
    await job.persist?.(outcome)
    return outcome
  }
  const finish = (outcome: Outcome) => deliver(withFailureHint(outcome, job.addHint))

  if (shutdown.drainSignal.aborted) return finish(createPendingOutcome())
  const prepared = await catchAsOutcome(() => buildDocumentRequest(source, job))
  if ('status' in prepared) return finish(prepared)
  if ('problem' in prepared) return finish(toOutcomeWithoutRequest(prepared, createBase([])))
  const { asked: question } = prepared
  asked = question
  document = prepared.text

  const summarizeInChunks = (chunkPlan: ChunkPlan) => async (): Promise<Outcome> => {
    const ask = semaphore.withPermit(job.ask, shutdown.drainSignal)
    const { askChunk = ask } = job
    const result = await mapReduce(chunkPlan, { ask, askChunk }, shutdown.abortSignal)
    if ('reply' in result)
      return createOutcome({ ...result.reply, attempts: result.attempts }, result.maxTokens, question)
    const { attempts, failure, partialText } = result
    return { ...createBase(attempts), status: 'failed', failure, partialText }
  }
  const summarizeInOneRequest = (request: Request) => async () =>
    createOutcome(await job.ask(request, shutdown.abortSignal), request.maxTokens, question)
  const summarize = async (): Promise<Outcome> => {
    const reason = await catchAsOutcome(() => findReasonNotToSend(source, question, job))
    if (reason !== undefined)
      return finish('status' in reason ? reason : toOutcomeWithoutRequest(reason, createBase([])))
    if ('chunkPlan' in prepared) return finish(await catchAsOutcome(summarizeInChunks(prepared.chunkPlan)))
    return semaphore
      .runWithPermit(shutdown.drainSignal, shutdown.abortSignal, async () =>
        finish(await catchAsOutcome(summarizeInOneRequest(prepared.request))),
      )
      .catch((error: unknown) => {
        if (isShutdownReason(error)) return finish(createPendingOutcome())
        throw error
      })
  }
  const { inFlight } = job
  if (inFlight === undefined) return summarize()
  const copy = (first: Outcome) => {
    const copied = copyOutcome(first, question, createBase([]))
    return copied && deliver(copied)
  }
  return shareRequest(inFlight, question.requestHash, copy, summarize)
}

/**
 * Returns the outcome of a document with the same request as another one, which cost nothing more; undefined if the other
 * one got no reply to copy.
 */
function copyOutcome(
  first: Outcome,
  requestMetadata: RequestMetadata,
  base: Pick<Outcome, 'document' | 'attempts' | 'elapsedMs'>,
): Outcome | undefined {
  const { status, document, attempts } = first
  // Without an attempt, the other document has an earlier result, which is found again for this one.
  if (attempts.length === 0) return undefined
  if (status === 'summarized') {
    const { text, qualityIssues } = first
    const reusedFrom = { path: document.path, isMove: false }
    const issues = qualityIssues === undefined ? {} : { qualityIssues }
    return { ...base, requestMetadata, status, text, reusedFrom, ...issues }
  }
  if (status !== 'failed' || first.failure.transient) return undefined
  const { failure, partialText } = first
  return {
    ...base,
    requestMetadata,
    status,
    failure,
    ...(partialText !== undefined && { partialText }),
  }
}
