import type { DocumentRef } from '../core/document/document.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { createDocumentSteps, type DocumentSteps, type DocumentStepsJob } from './document-steps.ts'
import { mapReduce } from './map-reduce.ts'
import type { Semaphore } from './middleware/semaphore.ts'
import {
  buildDocumentRequest,
  findReasonNotToSend,
  type PreparedRequest,
  type PrepareOptions,
  toOutcomeWithoutRequest,
} from './prepare.ts'
import { runPool } from './run-pool.ts'
import { copyOutcome, type RequestsInFlight, shareRequest } from './share-requests.ts'

/** The documents, functions and limits of a run. */
export interface SummarizeJob<Given extends DocumentRef = DocumentRef>
  extends PrepareOptions<Given>,
    DocumentStepsJob {
  readonly sources: Iterable<Given> | AsyncIterable<Given>
  /** Sends a request. The engine holds a permit during the call. */
  readonly ask: Ask
  /** Makes documents with the same request share one reply. Default: each document sends its own request. */
  readonly inFlight?: RequestsInFlight
  /** Sends a chunk, or takes it from the chunk cache; acquires its own permits. Default: `ask`. */
  readonly askChunk?: Ask
  /** Gives permits to requests, and limits how many documents are open. */
  readonly semaphore: Semaphore
  /** See `PoolOptions.maxLead`. */
  readonly maxLead?: number
  /** Surrounds the work on each document, for example with a span of a trace. */
  readonly traceDocument?: (source: Given, work: () => Promise<Outcome>) => Promise<Outcome>
}

/**
 * Yields one outcome per source, as they finish. Never throws for a document. An error that ends the run
 * stops it through `shutdown`, and unfinished documents are yielded as pending.
 */
export function summarizeDocuments<Given extends DocumentRef>(
  job: SummarizeJob<Given>,
): AsyncGenerator<Outcome> {
  const { semaphore, maxLead, sources, traceDocument = (_source, work) => work() } = job
  const limits = { getLimit: semaphore.getMaxOpenDocuments, onLimitIncrease: semaphore.onPlaceAdded }
  return runPool(sources, maxLead === undefined ? limits : { ...limits, maxLead }, (source) =>
    traceDocument(source, () => summarizeOne(source, job)),
  )
}

async function summarizeOne<Given extends DocumentRef>(
  source: Given,
  job: SummarizeJob<Given>,
): Promise<Outcome> {
  const steps = createDocumentSteps(source, job)
  const { finish, deliver, catchAsOutcome, createPendingOutcome, createBase } = steps
  if (job.shutdown.drainSignal.aborted) return finish(createPendingOutcome())
  const prepared = await catchAsOutcome(() => buildDocumentRequest(source, job))
  if ('status' in prepared) return finish(prepared)
  if ('problem' in prepared) return finish(toOutcomeWithoutRequest(prepared, createBase([])))
  const { asked } = prepared
  steps.setRequest(prepared)

  const finishWithoutRequest = async (): Promise<Outcome | undefined> => {
    const reason = await catchAsOutcome(() => findReasonNotToSend(source, asked, job))
    if (reason === undefined) return undefined
    return finish('status' in reason ? reason : toOutcomeWithoutRequest(reason, createBase([])))
  }
  const summarize = async () => (await finishWithoutRequest()) ?? sendPrepared(prepared, job, steps)
  const { inFlight } = job
  if (inFlight === undefined) return summarize()
  const copy = async (first: Outcome) => {
    const copied = copyOutcome(first, asked, createBase([]))
    // The file of this document may be the user's, although that of the other document is not.
    return copied && ((await finishWithoutRequest()) ?? deliver(copied))
  }
  return shareRequest(inFlight, asked.requestHash, copy, summarize)
}

/** Sends the request of a document, or the requests of its chunks. */
async function sendPrepared(
  prepared: PreparedRequest,
  { ask, askChunk, semaphore, shutdown }: Pick<SummarizeJob, 'ask' | 'askChunk' | 'semaphore' | 'shutdown'>,
  {
    finish,
    catchAsOutcome,
    createPendingOutcome,
    createReplyOutcome,
    createBase,
    isShutdownReason,
  }: DocumentSteps,
): Promise<Outcome> {
  const { drainSignal, abortSignal } = shutdown
  if ('request' in prepared) {
    const { request } = prepared
    const send = async () => createReplyOutcome(await ask(request, abortSignal), request.maxTokens)
    return semaphore
      .runWithPermit(drainSignal, abortSignal, async () => finish(await catchAsOutcome(send)))
      .catch((error: unknown) => {
        if (isShutdownReason(error)) return finish(createPendingOutcome())
        throw error
      })
  }
  const { chunkPlan } = prepared
  const askWithPermit = semaphore.withPermit(ask, drainSignal)
  const sendChunks = async (): Promise<Outcome> => {
    const asks = { ask: askWithPermit, askChunk: askChunk ?? askWithPermit }
    const result = await mapReduce(chunkPlan, asks, abortSignal)
    const { attempts } = result
    if ('reply' in result)
      return createReplyOutcome({ ...result.reply, attempts }, result.maxTokens, result.citations)
    const { failure, partialText } = result
    return { ...createBase(attempts), status: 'failed', failure, partialText }
  }
  return finish(await catchAsOutcome(sendChunks))
}
