import { type BatchItem, type BatchSize, createCustomId, hasRoom } from '../../core/batch/batch.ts'
import type { BatchBuilder, BatchStore, StoredBatch } from '../../core/batch/batch-store.ts'
import type { DocumentRef } from '../../core/document/document.ts'
import type { AskError } from '../../core/errors/ask-error.ts'
import { toFailure } from '../../core/errors/failure.ts'
import type { RequestError } from '../../core/errors/request-error.ts'
import type { Request } from '../../core/request/request.ts'
import type { Outcome, RequestMetadata } from '../../core/run/outcome.ts'
import type { BatchContext } from './batch-context.ts'
import { concludeRefusals, createBatch, type RefusalEvidence } from './create-batch.ts'
import type { CreateCallJob, QueueState } from './create-until-known.ts'
import type { BatchRecovery } from './recover-batch.ts'

/** Puts requests into batches, and creates each batch when it is full. */
export interface BatchFiller {
  /**
   * Adds the request of a document. Creates the batch first if the request does not fit into it. Yields the
   * outcomes of batches that end while the API has no room for another one.
   */
  add(source: DocumentRef, request: Request, asked: RequestMetadata): AsyncGenerator<Outcome, void>
  /**
   * Creates the last batch. Yields outcomes as `add` does.
   * @throws RunError if the API accepted no batch and refused several documents
   */
  finish(): AsyncGenerator<Outcome, void>
  /** Drops the batch that is not created yet. */
  discard(): Promise<void>
  /** Outcomes of documents whose requests the API refused in a batch; the caller takes them out. */
  readonly refusedOutcomes: Outcome[]
}

export interface BatchFillerJob extends BatchContext, Pick<CreateCallJob, 'collectFor'> {
  readonly store: BatchStore
  /** Called with each batch that was created or may have been created. */
  readonly onCreated: (batch: StoredBatch) => void
  /** Returns what a batch stores about a document's request, besides what the request itself shows. */
  readonly getItemSettings: (path: string) => ItemSettings
  /** The maximum size of a batch, if less than the API allows. */
  readonly maxBatchSize?: BatchSize
  readonly listener: SubmitListener
}

/** How a document is summarized, and which checks its answer must pass. */
export type ItemSettings = Pick<BatchItem['asked'], 'provenance' | 'answerSettings'>

export interface SubmitListener {
  /** Called when a call fails with a transient error. It is retried after `waitMs`. */
  onRetry(error: AskError, waitMs: number): void
  /** Called when a batch was created or may have been created. */
  onSubmitted(batch: StoredBatch, size: BatchSize): void
}

/**
 * Creates a filler, which has no batch yet.
 * @param onLeave called with each document that is in a batch, or refused
 */
export function createBatchFiller(
  job: BatchFillerJob,
  recovery: BatchRecovery,
  onLeave: (source: DocumentRef) => void,
): BatchFiller {
  const { batchApi, store, shutdown, getItemSettings, maxBatchSize } = job
  const refusedOutcomes: Outcome[] = []
  let builder: BatchBuilder | undefined
  let sourceByPath = new Map<string, DocumentRef>()

  const evidence: RefusalEvidence = { isAccepted: false, refused: [] }
  const queue: QueueState = {}
  const sendBatch = async function* (): AsyncGenerator<Outcome, void> {
    if (builder === undefined) return
    const { size } = builder
    const batch = await builder.seal()
    const sources = sourceByPath
    builder = undefined
    sourceByPath = new Map()
    const leave = ({ path }: BatchItem) => {
      const source = sources.get(path) as DocumentRef
      onLeave(source)
      return source
    }
    yield* createBatch(batch, size, {
      ...job,
      recovery,
      evidence,
      queue,
      onCreated(batch, size) {
        for (const item of batch.items.values()) leave(item)
        job.onCreated(batch)
        job.listener.onSubmitted(batch, size)
      },
      onRefused: (item, requestError) =>
        void refusedOutcomes.push(createRefusedOutcome(item, leave(item), requestError)),
    })
  }
  return {
    refusedOutcomes,
    async *finish() {
      yield* sendBatch()
      concludeRefusals(evidence)
    },
    async *add(source, request, asked) {
      const formatEntry = ({ localId }: BatchBuilder) => {
        const id = createCustomId(localId, asked.requestHash, sourceByPath.size)
        return { id, entry: batchApi.formatEntry(id, request) }
      }
      builder ??= await store.createBuilder()
      let { id, entry } = formatEntry(builder)
      if (!hasRoom(builder.size, Buffer.byteLength(entry) + 2, maxBatchSize)) {
        yield* sendBatch()
        shutdown.drainSignal.throwIfAborted()
        builder = await store.createBuilder()
        ;({ id, entry } = formatEntry(builder))
      }
      const { path, mirroredPath } = source
      const item = {
        path,
        ...(mirroredPath !== undefined && { mirroredPath }),
        asked: { ...asked, ...getItemSettings(path) },
      }
      await builder.add(id, item, entry)
      sourceByPath.set(path, source)
    },
    async discard() {
      await builder?.discard()
    },
  }
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
