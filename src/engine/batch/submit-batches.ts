import { type BatchItem, type BatchSize, createCustomId, hasRoom } from '../../core/batch/batch.ts'
import type { BatchBuilder, BatchStore, StoredBatch } from '../../core/batch/batch-store.ts'
import type { DocumentRef } from '../../core/document/document.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { toFailure } from '../../core/errors/failure.ts'
import type { RequestError } from '../../core/errors/request-error.ts'
import { RunError } from '../../core/errors/run-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { SharedBudget } from '../middleware/shared-budget.ts'
import { type PrepareOptions, prepare, toOutcomeWithoutRequest } from '../prepare.ts'
import { runPool } from '../run-pool.ts'
import { withFailureHint } from '../with-failure-hint.ts'
import type { BatchContext, Reservations } from './batch-context.ts'
import { createBatch } from './create-batch.ts'
import type { BatchRecovery } from './recover-batch.ts'

/** How documents are put into batches. */
export interface SubmitOptions extends Pick<PrepareOptions, 'buildRequest' | 'planChunks'> {
  /** Returns what a batch stores about a document's request, besides what the request itself shows. */
  readonly getItemSettings: (path: string) => ItemSettings
  readonly budget?: SharedBudget | undefined
  /** The maximum size of a batch, if less than the API allows. */
  readonly maxBatchSize?: BatchSize
}

/** How a document is summarized, and which checks its answer must pass. */
export type ItemSettings = Pick<BatchItem['asked'], 'provenance' | 'answerSettings'>

export interface SubmitJob extends BatchContext, SubmitOptions, Pick<PrepareOptions, 'read'> {
  readonly store: BatchStore
  readonly reservations: Reservations
  readonly listener: SubmitListener
  /** The hashes of all requests in batches that are not collected; the function adds to them. */
  readonly batchedHashes: Set<string>
}

export interface SubmitListener {
  /** A call failed with a transient error; it is retried after this wait, in milliseconds. */
  onRetry(error: AskError, waitMs: number): void
  /** A batch was created or may have been created. */
  onSubmitted(batch: StoredBatch, size: BatchSize): void
}

interface SubmitResult {
  /** Batches that were created or may have been created. */
  readonly createdBatches: readonly StoredBatch[]
  /** Documents that do not fit into one request. Their later requests depend on earlier answers. */
  readonly longDocuments: readonly DocumentRef[]
  /** Documents whose request is in a batch already, for another document. */
  readonly duplicates: readonly DocumentRef[]
  /** Documents that could be in a batch, but are not. */
  readonly unsentDocuments: readonly DocumentRef[]
  /** Why these documents were not sent, if the next request could exceed the budget. */
  readonly budgetError: RunError | undefined
}

/** The maximum number of documents that are read at the same time. */
const maxConcurrentReads = 16

/**
 * Puts documents into as few batches as possible, and creates each batch when it is full. Yields outcomes for
 * documents that need no request.
 */
export async function* submitBatches(
  sources: readonly DocumentRef[],
  job: SubmitJob,
  recovery: BatchRecovery,
): AsyncGenerator<Outcome, SubmitResult> {
  const { batchApi, store, shutdown, clock, budget, reservations, batchedHashes } = job
  const createdBatches: StoredBatch[] = []
  const unsent = new Set(sources)
  let budgetError: RunError | undefined
  let builder: BatchBuilder | undefined
  let batchSources: DocumentRef[] = []
  const longDocuments: DocumentRef[] = []
  const duplicates: DocumentRef[] = []
  /** Outcomes of documents whose requests the API refused in a batch. */
  const refusedOutcomes: Outcome[] = []

  const sendBatch = async () => {
    if (builder === undefined) return
    const { size } = builder
    const batch = await builder.seal()
    builder = undefined
    const sourceOf = new Map(batchSources.map((source) => [source.path, source]))
    batchSources = []
    const takeSource = ({ path }: BatchItem) => {
      const source = sourceOf.get(path) as DocumentRef
      unsent.delete(source)
      return source
    }
    await createBatch(batch, size, {
      ...job,
      recovery,
      onCreated(batch, size) {
        for (const document of batch.items.values()) takeSource(document)
        createdBatches.push(batch)
        job.listener.onSubmitted(batch, size)
      },
      onRefused: (document, requestError) =>
        void refusedOutcomes.push(createRefusedOutcome(document, takeSource(document), requestError)),
    })
  }
  async function* finishOutcomes(outcomes: Outcome[]) {
    for (const unfinished of outcomes.splice(0)) {
      const outcome = withFailureHint(unfinished, job.addHint)
      reservations.get(outcome.document.path)?.(0n)
      reservations.delete(outcome.document.path)
      job.onOutcome?.(outcome)
      await job.persist?.(outcome)
      yield outcome
    }
  }

  const prepareSource = async (source: DocumentRef) => ({
    source,
    start: clock.now(),
    prepared: await prepare(source, job),
  })
  try {
    for await (const { source, start, prepared } of runPool(
      sources,
      { getLimit: () => maxConcurrentReads },
      prepareSource,
    )) {
      if (shutdown.drainSignal.aborted) break
      if ('problem' in prepared) {
        const { asked } = prepared
        const elapsedMs = clock.now() - start
        const base = {
          document: source,
          ...(asked !== undefined && { requestMetadata: asked }),
          attempts: [],
          elapsedMs,
        }
        const outcome = toOutcomeWithoutRequest(prepared, base)
        unsent.delete(source)
        yield* finishOutcomes([outcome])
        continue
      }
      const { asked } = prepared
      if ('chunkPlan' in prepared) {
        unsent.delete(source)
        longDocuments.push(source)
        continue
      }
      if (job.findEarlierResult !== undefined && batchedHashes.has(asked.requestHash)) {
        unsent.delete(source)
        duplicates.push(source)
        continue
      }
      const { request } = prepared
      if (budget !== undefined) {
        const settleReservation = budget.reserve(request)
        if (settleReservation === undefined) {
          budgetError = budget.createExceededError(request)
          break
        }
        reservations.set(source.path, settleReservation)
      }
      builder ??= await store.createBuilder()
      const formatEntry = ({ localId }: BatchBuilder) => {
        const id = createCustomId(localId, asked.requestHash, batchSources.length)
        return { id, entry: batchApi.formatEntry(id, request) }
      }
      let { id, entry } = formatEntry(builder)
      if (!hasRoom(builder.size, Buffer.byteLength(entry) + 2, job.maxBatchSize)) {
        await sendBatch()
        yield* finishOutcomes(refusedOutcomes)
        if (shutdown.drainSignal.aborted) break
        builder = await store.createBuilder()
        ;({ id, entry } = formatEntry(builder))
      }
      const { path } = source
      await builder.add(id, { path, asked: { ...asked, ...job.getItemSettings(path) } }, entry)
      batchSources.push(source)
      batchedHashes.add(asked.requestHash)
    }
    if (shutdown.drainSignal.aborted) await builder?.discard()
    else await sendBatch()
  } catch (error) {
    await builder?.discard().catch(() => {})
    if (error instanceof RunError) shutdown.drain(error)
    else if (error instanceof AskError) shutdown.drain(job.toRunError(error))
    else if (error !== shutdown.drainSignal.reason && error !== shutdown.abortSignal.reason) throw error
  }
  yield* finishOutcomes(refusedOutcomes)
  return { createdBatches, longDocuments, duplicates, unsentDocuments: [...unsent], budgetError }
}

function createRefusedOutcome(
  { asked: requestMetadata }: BatchItem,
  document: DocumentRef,
  requestError: RequestError,
): Outcome {
  return {
    document,
    requestMetadata,
    attempts: [],
    elapsedMs: 0,
    status: 'failed',
    failure: toFailure(requestError),
  }
}
