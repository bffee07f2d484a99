import { type BatchItem, type BatchSize, createCustomId } from '../../core/batch/batch.ts'
import type { BatchStore, SealedBatch, StoredBatch } from '../../core/batch/batch-store.ts'
import { classifyError } from '../../core/errors/classify-error.ts'
import type { RequestError } from '../../core/errors/request-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { type CreateCallJob, createRefusedError, createUntilKnown } from './create-until-known.ts'

export interface CreateBatchJob extends CreateCallJob {
  readonly store: BatchStore
  /** Called for each batch that was created or may have been created. */
  readonly onCreated: (batch: StoredBatch, size: BatchSize) => void
  readonly evidence: RefusalEvidence
  /** Called for each document whose request made the API refuse a batch, when another batch is accepted. */
  readonly onRefused: (document: BatchItem, requestError: RequestError) => void
}

/**
 * The evidence in the batches of a run whether a refusal concerns a document or the account. If the API
 * accepted any batch, a refused request is the fault of its document. If it accepted none, the cause may be
 * the account, and no document fails.
 */
export interface RefusalEvidence {
  isAccepted: boolean
  /** Refused documents that are not reported yet. */
  readonly refused: { readonly requestError: RequestError; readonly report: () => void }[]
}

/** The state of one batch and of the smaller batches it was split into. */
interface Progress extends CreateBatchJob {
  /** How many more batches may be sent for it. */
  batchesLeft: number
}

/**
 * Creates a batch, and retries only if the first call did not create one. Meanwhile, yields the outcomes of batches
 * that end. The API refuses a whole batch if it
 * does not accept one of its requests. The other requests are then sent without it, in smaller batches. The
 * API's message names the refused request; if it does not, halving the batch finds it.
 * @throws RunError if the rest cannot be sent, and the stored batch is removed; the reason of a shutdown
 */
export async function* createBatch(
  batch: SealedBatch,
  size: BatchSize,
  job: CreateBatchJob,
): AsyncGenerator<Outcome, void> {
  try {
    yield* createOrSplit(batch, size, { ...job, batchesLeft: maxBatches })
  } finally {
    if (job.evidence.isAccepted) reportRefused(job.evidence)
  }
}

/**
 * Reports a single refused document when all batches are sent: the same kind of request got a live reply before.
 * @throws RunError if several documents were refused and no batch was accepted, so that the cause is not a document
 */
export function concludeRefusals(evidence: RefusalEvidence): void {
  const [first, second] = evidence.refused
  if (first !== undefined && second !== undefined) throw createRefusedError(first.requestError)
  reportRefused(evidence)
}

/** Finding one request among 100,000 takes two thirds of these batches. */
const maxBatches = 100

/** After this many refused pieces in a row, the documents are not the cause. */
const maxRefusedPieces = 5

function reportRefused({ refused }: RefusalEvidence): void {
  for (const { report } of refused.splice(0)) report()
}

async function* createOrSplit(
  batch: SealedBatch,
  size: BatchSize,
  progress: Progress,
): AsyncGenerator<Outcome, void> {
  progress.batchesLeft--
  const requestError = yield* createUntilKnown(batch, progress)
  if (requestError === undefined) {
    progress.evidence.isAccepted = true
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
    const { evidence, onRefused } = progress
    if (document !== undefined)
      evidence.refused.push({ requestError, report: () => onRefused(document, requestError) })
    if (!evidence.isAccepted && evidence.refused.length >= maxRefusedPieces)
      throw createRefusedError(requestError)
    for (const range of [
      { from: 0, to: end },
      { from: start, to: length },
    ]) {
      if (range.from === range.to) continue
      if (progress.batchesLeft <= 0) throw createRefusedError(requestError)
      progress.shutdown.drainSignal.throwIfAborted()
      const piece = await buildPiece(batch, range, progress)
      yield* createOrSplit(piece.batch, piece.load, progress)
    }
  } catch (error) {
    await batch.remove().catch(() => {})
    throw error
  }
  await batch.remove()
}

/**
 * Moves some requests of a refused batch into a new batch. A crash at any time leaves each request in at
 * least one of the two.
 */
async function buildPiece(
  batch: SealedBatch,
  { from, to }: { readonly from: number; readonly to: number },
  { store }: Progress,
): Promise<{ readonly batch: SealedBatch; readonly load: BatchSize }> {
  const builder = await store.createBuilder()
  const documents = [...batch.items]
  try {
    let n = 0
    for await (const entry of batch.readEntries()) {
      const [name, document] = documents[n++] ?? []
      if (name === undefined || document === undefined || n <= from || n > to) continue
      const id = createCustomId(builder.localId, document.asked.requestHash, n - 1 - from)
      // The `custom_id` comes first in an entry.
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
 * Returns the index of the request that an error message names, as `requests.3.params` or by its `custom_id`.
 */
function findCulprit(requestError: RequestError, customIds: readonly string[]): number | undefined {
  // The batch is larger than the queue of the account.
  if (classifyError(requestError) === 'rate_limited') return undefined
  const { message } = requestError
  const index = Number(/\brequests[.[](\d{1,6})\b/.exec(message)?.[1] ?? Number.NaN)
  if (index < customIds.length) return index
  const named = message.match(/[0-9a-f]{16}_[\w-]+/g) ?? []
  const found = named.map((name) => customIds.indexOf(name)).find((position) => position >= 0)
  return found
}
