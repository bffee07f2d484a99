import { type BatchItem, type BatchSize, createCustomId } from '../../core/batch/batch.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { BatchStore, StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { classifyError, isTransient } from '../../core/errors/classify-error.ts'
import { mayBeBilled, type RequestError } from '../../core/errors/request-error.ts'
import { BatchError, type RunError } from '../../core/errors/run-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'
import type { Shutdown } from '../shutdown.ts'
import type { BatchRecovery } from './recover-batch.ts'

export interface CreateBatchJob {
  readonly batchApi: BatchApi
  readonly store: BatchStore
  readonly recovery: BatchRecovery
  readonly shutdown: Shutdown
  readonly clock: Clock
  readonly random: () => number
  readonly retries: number
  readonly toRunError: (error: AskError) => RunError
  readonly listener: { onRetry(error: AskError, waitMs: number): void }
  /** Called for each batch that was created, or may have been. */
  readonly onCreated: (batch: StoredBatch, size: BatchSize) => void
  /** Called for each document that the API refused, and the batch with it. */
  readonly onRefused: (document: BatchItem, requestError: RequestError) => void
}

/** One batch, and what became of its pieces so far. */
interface Progress extends CreateBatchJob {
  /** How many more batches may be sent in its place. */
  createsLeft: number
  isAccepted: boolean
  readonly refused: { readonly document: BatchItem; readonly requestError: RequestError }[]
}

/**
 * Creates a batch, and sends it again only where there is none yet. The API refuses a batch as a whole for one request
 * that it does not accept: then the others go without it, in smaller batches. Which request it is, its message says, or
 * halving the batch finds out. Where nothing at all is accepted, it is not the documents: none of them is blamed.
 * @throws RunError where the rest cannot be sent, which is forgotten then; the reason of a stop
 */
export async function createBatch(batch: StoredBatch, size: BatchSize, job: CreateBatchJob): Promise<void> {
  const progress: Progress = { ...job, createsLeft: maxCreates, isAccepted: false, refused: [] }
  try {
    await createOrSplit(batch, size, progress)
    const [first, second] = progress.refused
    if (!progress.isAccepted && first !== undefined && second !== undefined)
      throw createRefusedError(first.requestError)
  } catch (error) {
    if (progress.isAccepted) reportRefused(progress)
    throw error
  }
  reportRefused(progress)
}

/** Two thirds of them find one request among 100,000. */
const maxCreates = 100

/** Pieces that are refused one after another before it is clear that it is not the documents. */
const maxRefusedPieces = 5

function reportRefused({ refused, onRefused }: Progress): void {
  for (const { document, requestError } of refused) onRefused(document, requestError)
}

async function createOrSplit(batch: StoredBatch, size: BatchSize, progress: Progress): Promise<void> {
  const requestError = await createUntilKnown(batch, progress)
  if (requestError === undefined) {
    progress.isAccepted = true
    progress.onCreated(batch, size)
    return
  }
  const documents = [...batch.items]
  const { length } = documents
  const culpritIndex = length === 1 ? 0 : findCulprit(requestError, [...batch.items.keys()])
  const [, document] = documents[culpritIndex ?? -1] ?? []
  const middle = Math.ceil(length / 2)
  const [end, start] = culpritIndex === undefined ? [middle, middle] : [culpritIndex, culpritIndex + 1]
  try {
    if (document !== undefined) progress.refused.push({ document, requestError })
    if (!progress.isAccepted && progress.refused.length >= maxRefusedPieces)
      throw createRefusedError(requestError)
    for (const range of [
      { from: 0, to: end },
      { from: start, to: length },
    ]) {
      if (range.from === range.to) continue
      if (progress.createsLeft <= 0) throw createRefusedError(requestError)
      progress.shutdown.drainSignal.throwIfAborted()
      const piece = await buildPiece(batch, range, progress)
      await createOrSplit(piece.batch, piece.load, progress)
    }
  } catch (error) {
    await batch.remove().catch(() => {})
    throw error
  }
  await batch.remove()
}

/** Packs some requests of a batch that was refused into another one. A crash at any time leaves each in one at least. */
async function buildPiece(
  batch: StoredBatch,
  { from, to }: { readonly from: number; readonly to: number },
  { store }: Progress,
): Promise<{ readonly batch: StoredBatch; readonly load: BatchSize }> {
  const builder = await store.createBuilder()
  const documents = [...batch.items]
  try {
    let n = 0
    for await (const entry of batch.readEntries()) {
      const [name, document] = documents[n++] ?? []
      if (name === undefined || document === undefined || n <= from || n > to) continue
      const id = createCustomId(builder.localId, document.asked.requestHash, n - 1 - from)
      // Its name is the first thing in it.
      await builder.add(id, document, entry.replace(name, id))
    }
    const { size: load } = builder
    const piece = await builder.seal()
    await batch.markSettled(documents.slice(from, to).map(([name]) => name))
    return { batch: piece, load }
  } catch (error) {
    await builder.discard().catch(() => {})
    throw error
  }
}

/**
 * Sends a batch until it is created, or may be.
 * @returns why the API refused it, where that is about what is in it
 * @throws RunError where there is no such batch, which is forgotten then; the reason of a stop
 */
async function createUntilKnown(batch: StoredBatch, progress: Progress): Promise<RequestError | undefined> {
  const { batchApi, recovery, shutdown, clock, random, retries, listener, toRunError } = progress
  for (let failures = 1; ; failures++) {
    try {
      shutdown.drainSignal.throwIfAborted()
      progress.createsLeft--
      const { id } = await batchApi.create(batch.readBody(), shutdown.abortSignal)
      await batch.markCreated(id)
      return undefined
    } catch (error) {
      // Cut off on the way: the next run finds out.
      if (!(error instanceof AskError)) {
        if (error === shutdown.drainSignal.reason && !shutdown.abortSignal.aborted) await batch.remove()
        throw error
      }
      const { requestError } = error
      const isRetried = isTransient(requestError) && failures <= retries
      if (isRetried) {
        const waitMs =
          requestError.retryAfterSeconds === undefined
            ? computeBackoffMs(failures, random())
            : requestError.retryAfterSeconds * 1000
        listener.onRetry(error, waitMs)
        await clock.sleep(waitMs, shutdown.drainSignal)
      }
      if (mayBeCreated(requestError) && (await recovery.findBatch(batch)) !== 'not_created') return undefined
      if (isRetried) continue
      if (isContentError(requestError)) return requestError
      await batch.remove()
      throw classifyError(requestError) === 'account' ? toRunError(error) : createRefusedError(requestError)
    }
  }
}

/**
 * Whether there may be a batch all the same. There can be behind every answer but a clear refusal: a gateway answers with
 * 429 or 529 for a reason of its own, too, after it has passed the request on.
 */
function mayBeCreated(requestError: RequestError): boolean {
  const { kind, status = 0 } = requestError
  if (kind !== 'status') return mayBeBilled(requestError)
  return (
    classifyError(requestError) !== 'account' &&
    (status >= 500 || status === 408 || status === 409 || status === 429)
  )
}

/** The API does not accept something in the batch, or not as much. */
function isContentError(requestError: RequestError): boolean {
  return classifyError(requestError) === 'document' && [400, 413, 422].includes(requestError.status ?? 0)
}

/** The place of the request that a message names, as `requests.3.params` or by its `custom_id`. */
function findCulprit({ message }: RequestError, customIds: readonly string[]): number | undefined {
  const place = Number(/\brequests[.[](\d{1,6})\b/.exec(message)?.[1] ?? Number.NaN)
  if (place < customIds.length) return place
  const named = message.match(/[0-9a-f]{16}_[\w-]+/g) ?? []
  const found = named.map((name) => customIds.indexOf(name)).find((at) => at >= 0)
  return found
}

function createRefusedError(requestError: RequestError): BatchError {
  const what = `the API did not accept the batch: ${requestError.status ?? requestError.kind} ${requestError.type}: ${requestError.message}`
  return new BatchError(what, isTransient(requestError))
}
