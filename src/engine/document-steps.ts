import type { Citation } from '../core/citations/citation.ts'
import { hasUncitedStatement } from '../core/citations/statements.ts'
import { toCitedText, verifyCitations } from '../core/citations/verify-citations.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { QualityIssue } from '../core/document/quality-checks.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { toFailure } from '../core/errors/failure.ts'
import { RunError } from '../core/errors/run-error.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { createSchemaFailure, findReplyFailure, type Reply } from '../core/request/reply.ts'
import type { Clock } from '../core/run/clock.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { PreparedRequest } from './prepare.ts'
import type { Shutdown } from './shutdown.ts'
import { type AddHint, withFailureHint } from './with-failure-hint.ts'

/** How one document becomes an outcome. */
export interface DocumentSteps {
  /** Adds the request to all outcomes that are created from now on. */
  setRequest(prepared: PreparedRequest): void
  /** Returns the fields that all outcomes of the document have. */
  createBase(
    attempts: readonly Attempt[],
  ): Pick<Outcome, 'document' | 'requestMetadata' | 'attempts' | 'elapsedMs'>
  createPendingOutcome(attempts?: readonly Attempt[]): Outcome
  /**
   * Returns the outcome of a reply: a summary, or a failure with the text that was paid for.
   * @param citations the passages that support it, if they are verified already
   */
  createReplyOutcome(reply: Reply, maxTokens: number, citations?: readonly Citation[]): Outcome
  /**
   * Returns the result of `work`, or the outcome that follows from its error. An error that shows a bug is
   * rethrown.
   */
  catchAsOutcome<T>(work: () => Promise<T>): Promise<T | Outcome>
  isShutdownReason(error: unknown): boolean
  /** Adds a hint to a failure, and delivers the outcome. */
  finish(outcome: Outcome): Promise<Outcome>
  /** Calls `onOutcome` and persists the outcome. */
  deliver(outcome: Outcome): Promise<Outcome>
}

/** What the steps for one document need from the run. */
export interface DocumentStepsJob {
  /**
   * Returns why a complete answer is invalid, or undefined if it is valid. Default: every answer is valid.
   */
  readonly findMismatch?: (text: string, path: string) => string | undefined
  /** Called with each outcome before the next document starts; it may drain the run. */
  readonly onOutcome?: (outcome: Outcome) => void
  /** Returns the issues that the quality checks find in a summary. @param document its text, if available */
  readonly checkQuality?: (summary: string, document: string | undefined) => readonly QualityIssue[]
  /** Whether summaries must cite their documents. One of an upload, whose text cannot be cited, is then flagged. */
  readonly citations?: boolean
  /** Saves an outcome before its permit is released, so a crash costs at most one reply per permit. */
  readonly persist?: (outcome: Outcome) => Promise<unknown>
  /** Adds to a failure what the user can do about it. Default: adds nothing. */
  readonly addHint?: AddHint
  /** Describes a request error that ends the run, because it concerns the account or the setup. */
  readonly toRunError: (error: AskError) => RunError
  readonly shutdown: Shutdown
  readonly clock: Clock
}

/** Returns the steps for one document, whose time starts now. */
export function createDocumentSteps(document: DocumentRef, job: DocumentStepsJob): DocumentSteps {
  const { shutdown, clock } = job
  const startMs = clock.now()
  let prepared: PreparedRequest | undefined
  const createBase = (attempts: readonly Attempt[]) => ({
    document,
    ...(prepared !== undefined && { requestMetadata: prepared.asked }),
    attempts,
    elapsedMs: clock.now() - startMs,
  })
  const createPendingOutcome = (attempts: readonly Attempt[] = []): Outcome => ({
    ...createBase(attempts),
    status: 'pending',
    reason: shutdown.drainSignal.reason instanceof Error ? shutdown.drainSignal.reason.message : 'stopped',
  })
  const isShutdownReason = (error: unknown) =>
    error === shutdown.drainSignal.reason || error === shutdown.abortSignal.reason
  const deliver = async (outcome: Outcome): Promise<Outcome> => {
    job.onOutcome?.(outcome)
    await job.persist?.(outcome)
    return outcome
  }
  return {
    setRequest(request) {
      prepared = request
    },
    createBase,
    createPendingOutcome,
    createReplyOutcome(reply, maxTokens, verified) {
      const { text, attempts } = reply
      const replyFailure = findReplyFailure(reply, maxTokens)
      const mismatch = replyFailure === undefined ? job.findMismatch?.(text, document.path) : undefined
      const failure = mismatch === undefined ? replyFailure : createSchemaFailure(mismatch, reply.requestId)
      if (failure !== undefined)
        return { ...createBase(attempts), status: 'failed', failure, partialText: text }
      if (prepared === undefined) throw new Error('a reply needs a request')
      const citations = citeDocument(reply, prepared, verified, job.citations)
      const qualityIssues = [
        ...(job.checkQuality?.(text, prepared.document.text) ?? []),
        ...(citations !== undefined && hasUncitedStatement(text, citations) ? (['uncited'] as const) : []),
      ]
      return {
        ...createBase(attempts),
        requestMetadata: prepared.asked,
        status: 'summarized',
        text,
        ...(citations !== undefined && { citations }),
        ...(qualityIssues.length > 0 && { qualityIssues }),
      }
    },
    async catchAsOutcome(work) {
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
    },
    isShutdownReason,
    finish: (outcome) => deliver(withFailureHint(outcome, job.addHint)),
    deliver,
  }
}

/** Returns the verified citations of a reply; undefined if the request did not ask for any. */
function citeDocument(
  { citations = [] }: Reply,
  prepared: PreparedRequest,
  verified: readonly Citation[] | undefined,
  mustCite = false,
): readonly Citation[] | undefined {
  const { citable } = 'request' in prepared ? prepared.request : prepared.chunkPlan.expectedFinalRequest
  if (citable === undefined) return mustCite && prepared.document.upload !== undefined ? [] : undefined
  return verified ?? verifyCitations(citations, toCitedText(prepared.document))
}
