import type { DocumentRef } from '../../core/document/document.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { RunError } from '../../core/errors/run-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { SharedBudget } from '../middleware/shared-budget.ts'
import { type NothingToSend, type PrepareOptions, prepare, toOutcomeWithoutRequest } from '../prepare.ts'
import { runPool } from '../run-pool.ts'
import type { RequestsInFlight } from '../share-requests.ts'
import { withFailureHint } from '../with-failure-hint.ts'
import type { Reservations } from './batch-context.ts'
import { type BatchFillerJob, createBatchFiller } from './batch-filler.ts'
import type { BatchRecovery } from './recover-batch.ts'

/** The options for putting documents into batches. */
export interface SubmitOptions
  extends Pick<PrepareOptions, 'buildRequest' | 'planChunks'>,
    Pick<BatchFillerJob, 'getItemSettings' | 'maxBatchSize'> {
  readonly budget?: SharedBudget | undefined
}

export interface SubmitJob extends SubmitOptions, BatchFillerJob, Pick<PrepareOptions, 'read'> {
  readonly reservations: Reservations
  /** The hashes of all requests in batches that are not collected; the function adds to them. */
  readonly batchedHashes: Set<string>
  /** Has the failures of this run that would repeat. */
  readonly inFlight?: RequestsInFlight
}

interface SubmitResult {
  /** Documents that do not fit into one request. Their later requests depend on earlier answers. */
  readonly longDocuments: readonly DocumentRef[]
  /** Documents whose request is in a batch already, for another document. */
  readonly duplicates: readonly DocumentRef[]
  /**
   * Documents that were not sent because the run was stopped, the budget does not allow the next request, or
   * an error occurred.
   */
  readonly unsentDocuments: readonly DocumentRef[]
  /** The error if the next request could exceed the budget. */
  readonly budgetError: RunError | undefined
}

/** The maximum number of documents that are read at the same time. */
const maxConcurrentReads = 16

/**
 * Puts documents into as few batches as possible, and creates each batch when it is full. Yields outcomes for
 * documents that need no request, and of batches that end while the API has no room for another one.
 */
export async function* submitBatches(
  sources: readonly DocumentRef[],
  job: SubmitJob,
  recovery: BatchRecovery,
): AsyncGenerator<Outcome, SubmitResult> {
  const { shutdown, clock, budget, reservations, batchedHashes, inFlight } = job
  const isShared = (hash: string) => batchedHashes.has(hash) || inFlight?.has(hash)
  const { drainSignal, abortSignal } = shutdown
  const unsent = new Set(sources)
  const [longDocuments, duplicates]: [DocumentRef[], DocumentRef[]] = [[], []]
  let budgetError: RunError | undefined
  const filler = createBatchFiller(job, recovery, (source) => void unsent.delete(source))
  const limits = { getLimit: () => maxConcurrentReads }
  const preparedSources = runPool(sources, limits, async (source) => {
    const startMs = clock.now()
    return { source, startMs, prepared: await prepare(source, job) }
  })
  try {
    for await (const { source, startMs, prepared } of preparedSources) {
      if (drainSignal.aborted) break
      if ('problem' in prepared) {
        unsent.delete(source)
        yield* finishOutcomes([describeNothingToSend(source, prepared, clock.now() - startMs)], job)
      } else if ('chunkPlan' in prepared) {
        unsent.delete(source)
        longDocuments.push(source)
      } else if (job.findEarlierResult !== undefined && isShared(prepared.asked.requestHash)) {
        unsent.delete(source)
        duplicates.push(source)
      } else {
        const { request, asked } = prepared
        const settleReservation = budget?.reserve(request)
        if (budget !== undefined && settleReservation === undefined) {
          budgetError = budget.createExceededError(request)
          break
        }
        if (settleReservation !== undefined) reservations.set(source.path, settleReservation)
        yield* filler.add(source, request, asked)
        batchedHashes.add(asked.requestHash)
        yield* finishOutcomes(filler.refusedOutcomes, job)
      }
    }
    if (drainSignal.aborted) await filler.discard()
    else yield* filler.finish()
  } catch (error) {
    await filler.discard().catch(() => {})
    if (error instanceof RunError) shutdown.drain(error)
    else if (error instanceof AskError) shutdown.drain(job.toRunError(error))
    else if (error !== drainSignal.reason && error !== abortSignal.reason) throw error
  }
  yield* finishOutcomes(filler.refusedOutcomes, job)
  return { longDocuments, duplicates, unsentDocuments: [...unsent], budgetError }
}

/** Persists and yields outcomes, which it takes out of the list, and releases their reservations. */
async function* finishOutcomes(
  outcomes: Outcome[],
  { addHint, reservations, onOutcome, persist }: SubmitJob,
): AsyncGenerator<Outcome> {
  for (const unfinished of outcomes.splice(0)) {
    const outcome = withFailureHint(unfinished, addHint)
    reservations.get(outcome.document.path)?.(0n)
    reservations.delete(outcome.document.path)
    onOutcome?.(outcome)
    await persist?.(outcome)
    yield outcome
  }
}

function describeNothingToSend(document: DocumentRef, prepared: NothingToSend, elapsedMs: number): Outcome {
  const { asked } = prepared
  const metadata = asked === undefined ? {} : { requestMetadata: asked }
  return toOutcomeWithoutRequest(prepared, { document, ...metadata, attempts: [], elapsedMs })
}
