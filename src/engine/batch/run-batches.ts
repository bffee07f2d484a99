import type { BatchItem } from '../../core/batch/batch.ts'
import type { BatchStore, StoredBatch } from '../../core/batch/batch-store.ts'
import type { Document, DocumentRef } from '../../core/document/document.ts'
import type { RunError } from '../../core/errors/run-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { pluralize } from '../../core/text/format-number.ts'
import type { PrepareOptions } from '../prepare.ts'
import { type RequestsInFlight, settleRequest } from '../share-requests.ts'
import type { BatchContext, Reservations } from './batch-context.ts'
import type { SubmitListener } from './batch-filler.ts'
import type { CollectOptions } from './collect-batch.ts'
import { findOwnBatches } from './find-own-batches.ts'
import {
  createOpenBatches,
  createPendingOutcome,
  type OpenBatches,
  type OpenBatchesJob,
} from './open-batches.ts'
import { type BatchRecovery, createBatchRecovery } from './recover-batch.ts'
import { type CanaryListener, type CanaryOptions, runCanaries } from './run-canaries.ts'
import { type SubmitOptions, submitBatches } from './submit-batches.ts'

/** A run that collects batches, and may submit new ones. */
export interface BatchJob extends BatchContext, CollectOptions, Pick<PrepareOptions, 'read'> {
  readonly sources: readonly DocumentRef[]
  readonly store: BatchStore
  /** Whether a document that only a batch names may be read again. Default: none */
  readonly mayRead?: (path: string) => boolean
  /** The base URL that the run uses. Batches that the API at this base URL does not know are skipped. */
  readonly endpoint: string
  /** Whether the run waits until all batches have ended. */
  readonly shouldWait: boolean
  /**
   * Whether the user asked to leave documents in batches. The run is complete without them then.
   */
  readonly isDetached: boolean
  /** How the run sends the documents that are in no batch; undefined if it only collects. */
  readonly sending?: Sending
  /** Makes live documents with the same request as one in a batch wait for its result. */
  readonly inFlight?: RequestsInFlight
  /** What earlier runs with the same budget have reserved for documents in batches. */
  readonly reservations?: Reservations
  readonly listener: BatchListener
}

export interface Sending {
  /** Summarizes documents with live requests. */
  readonly runLive: (sources: readonly DocumentRef[]) => AsyncGenerator<Outcome>
  /** Submits the documents in batches; undefined if all of them are summarized live. */
  readonly batches?: SubmitOptions & Pick<CanaryOptions, 'hasSucceededBefore'>
}

type BatchListener = OpenBatchesJob['listener'] &
  SubmitListener &
  CanaryListener & {
    /** Called at the end of the run with the batches that have not ended. */
    onUnfinished(batches: readonly StoredBatch[]): void
  }

/**
 * Yields one outcome per source, and one for every other document of the batches it collects. It first
 * collects batches of earlier runs that have ended. Then it sends the remaining documents, live or in new
 * batches, and waits for those. A document that is still in a batch at the end is pending, and a later run
 * collects it. The counterpart without batches is `summarizeDocuments`.
 */
export async function* runBatches(job: BatchJob): AsyncGenerator<Outcome> {
  const { sources, store, shutdown, shouldWait, sending, listener } = job
  const { drainSignal } = shutdown
  const recovery = createBatchRecovery(job, store.openBatches)
  const ownBatches = await findOwnBatches(store.openBatches, job, shutdown.abortSignal)
  for (const batch of store.openBatches)
    if (!ownBatches.includes(batch)) listener.onWarning(formatForeignBatch(batch))
  const sourceByPath = new Map(sources.map((source) => [source.path, source]))
  const findSource = (path: string): DocumentRef =>
    sourceByPath.get(path) ?? { index: sourceByPath.size, path, namedByUser: true }
  const findReadable = (path: string) =>
    sourceByPath.get(path) ?? (job.mayRead?.(path) ? findSource(path) : undefined)
  const readDocument = createDocumentReader(findReadable, job.read)
  const { inFlight = new Map(), reservations = new Map() } = job
  const batches = createOpenBatches(ownBatches, recovery, {
    ...job,
    reservations,
    findSource,
    readDocument,
    onOutcome(outcome) {
      const { requestHash } = outcome.requestMetadata ?? {}
      if (requestHash !== undefined) settleRequest(inFlight, requestHash, outcome)
      job.onOutcome?.(outcome)
    },
  })

  const done = new Set<string>()
  const unfinished: Outcome[] = []
  // Documents of this run are sent again in its own batches. The others are left to a run that includes them.
  const onRequeue = (outcome: Outcome) => sourceByPath.has(outcome.document.path) || unfinished.push(outcome)
  for await (const outcome of batches.collectEnded(onRequeue)) {
    done.add(outcome.document.path)
    yield outcome
  }
  const postpone = (source: DocumentRef, asked?: Outcome['requestMetadata']) =>
    createPendingOutcome(
      source,
      'another document with the same content is in a batch',
      asked,
      !job.isDetached,
    )
  const batchedHashes = new Set<string>()
  for (const { document, requestMetadata } of batches.yieldPending()) {
    if (requestMetadata === undefined) continue
    const { requestHash } = requestMetadata
    batchedHashes.add(requestHash)
    inFlight.set(requestHash, Promise.resolve(postpone(document, requestMetadata)))
  }
  const remaining = sources.filter(({ path }) => !done.has(path) && !batches.hasDocument(path))
  const onUnfinished = (outcome: Outcome) => unfinished.push(outcome)
  const collectUntilAllEnd = () => batches.collectUntilAllEnd(onUnfinished)
  const unsent = yield* sendRemaining(remaining, {
    ...job,
    reservations,
    recovery,
    batches,
    collectUntilAllEnd,
    collectFor: (ms) => batches.collectFor(ms, onUnfinished),
    batchedHashes,
  })
  const { longDocuments, duplicates, unsentDocuments, budgetError } = unsent
  // With a budget, long documents may need money that is reserved for batches, and only collecting releases
  // it.
  const isLongLast = shouldWait && sending?.batches?.budget !== undefined
  if (!isLongLast) yield* runLater(longDocuments, sending)
  if (shouldWait) yield* collectUntilAllEnd()
  batches.stopIfUncollectable()
  if (isLongLast) yield* runLater(longDocuments, sending)
  // Their summaries are copied from the collected ones.
  const canCopy = shouldWait && batches.waiting.length === 0
  if (canCopy) yield* runLater(duplicates, sending)
  if (budgetError !== undefined) shutdown.drain(budgetError)

  const { waiting } = batches
  if (waiting.length > 0) listener.onUnfinished(waiting)
  yield* unfinished
  if (!canCopy) yield* duplicates.map((source) => postpone(source))
  const reason = drainSignal.reason instanceof Error ? drainSignal.reason.message : 'stopped'
  for (const source of unsentDocuments) yield createPendingOutcome(source, reason)
  yield* batches.yieldPending()
}

interface SendingJob extends BatchJob {
  readonly reservations: Reservations
  readonly recovery: BatchRecovery
  readonly batches: OpenBatches
  readonly collectUntilAllEnd: () => AsyncGenerator<Outcome>
  readonly collectFor: (ms: number) => AsyncGenerator<Outcome>
  readonly batchedHashes: Set<string>
}

interface Unsent {
  /**
   * Documents that need several requests. A batch cannot hold them, because each request depends on earlier
   * replies.
   */
  readonly longDocuments: readonly DocumentRef[]
  /** Documents whose request is in a batch already, for another document. */
  readonly duplicates: readonly DocumentRef[]
  readonly unsentDocuments: readonly DocumentRef[]
  /** Why these documents were not sent, if the budget does not allow the next request. */
  readonly budgetError?: RunError | undefined
}

/**
 * Sends the documents that are not in a batch. If the run submits no batches, all of them are done or pending
 * afterwards.
 */
async function* sendRemaining(
  remaining: readonly DocumentRef[],
  job: SendingJob,
): AsyncGenerator<Outcome, Unsent> {
  const { sending, shutdown, shouldWait, listener } = job
  if (sending?.batches === undefined) {
    if (sending === undefined) return { longDocuments: [], duplicates: [], unsentDocuments: remaining }
    yield* sending.runLive(remaining)
    return { longDocuments: [], duplicates: [], unsentDocuments: [] }
  }
  const provenSettings = new Set<string>()
  const longDocuments: DocumentRef[] = []
  const duplicates: DocumentRef[] = []
  const { runLive, batches: submitOptions } = sending
  let unsentDocuments = remaining
  let budgetError: RunError | undefined
  while (unsentDocuments.length > 0 && !shutdown.drainSignal.aborted) {
    const canaryOptions = { ...submitOptions, runLive, shutdown, listener }
    const withoutCanaries = yield* runCanaries(unsentDocuments, provenSettings, canaryOptions)
    let hasCreated = false
    const onCreated = (batch: StoredBatch) => {
      hasCreated = true
      job.batches.add(batch)
    }
    const submitted = yield* submitBatches(
      withoutCanaries,
      { ...job, ...submitOptions, onCreated, collectFor: shouldWait ? job.collectFor : undefined },
      job.recovery,
    )
    longDocuments.push(...submitted.longDocuments)
    duplicates.push(...submitted.duplicates)
    unsentDocuments = submitted.unsentDocuments
    budgetError = submitted.budgetError
    // Collecting releases the unspent part of the reservations, which may be enough for the next documents.
    if (!shouldWait || budgetError === undefined || !hasCreated) break
    yield* job.collectUntilAllEnd()
  }
  return { longDocuments, duplicates, unsentDocuments, budgetError }
}

async function* runLater(
  documents: readonly DocumentRef[],
  sending: Sending | undefined,
): AsyncGenerator<Outcome> {
  if (sending !== undefined && documents.length > 0) yield* sending.runLive(documents)
}

function formatForeignBatch({ id, localId, items, endpoint }: StoredBatch): string {
  return `the batch ${id ?? localId}, of ${pluralize(items.size, 'request')}, belongs to ${endpoint}, not to the base URL in use; skipped`
}

/** Returns a function that reads a document of a batch again. */
function createDocumentReader(
  findReadable: (path: string) => DocumentRef | undefined,
  read: BatchJob['read'],
): (item: BatchItem) => Promise<Document | undefined> {
  return async ({ path, asked }) => {
    const source = findReadable(path)
    // Stdin can be read only once.
    if (source === undefined || source.path === '-' || source.problem !== undefined) return undefined
    const document = await read(source)
    return 'action' in document || document.fingerprint.sha256 !== asked.fingerprint.sha256
      ? undefined
      : document
  }
}
