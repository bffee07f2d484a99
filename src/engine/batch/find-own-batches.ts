import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { isTransient } from '../../core/errors/classify-error.ts'

/** The API of a run. */
interface BatchEndpoint {
  readonly endpoint: string
  readonly batchApi: Pick<BatchApi, 'retrieve'>
}

/**
 * Returns the batches that the run can collect: those of its base URL, and those that the API at this base URL
 * knows as well. The same API may have a new address, and a batch that is left behind would be paid again.
 * @throws the reason of the signal
 */
export async function findOwnBatches(
  batches: readonly StoredBatch[],
  { endpoint, batchApi }: BatchEndpoint,
  signal: AbortSignal,
): Promise<StoredBatch[]> {
  const own: StoredBatch[] = []
  for (const batch of batches) {
    // During an outage it is not known whose batch it is. Collecting waits for the end of the outage.
    const isOwn = batch.endpoint === endpoint || (await hasBatch(batchApi, batch, signal)) !== false
    if (isOwn) own.push(batch)
  }
  return own
}

/**
 * Returns whether an API has a batch that was created at another base URL; undefined if it does not answer.
 * @throws the reason of the signal
 */
export async function hasBatch(
  batchApi: BatchEndpoint['batchApi'],
  { id, items, sealedAt }: Pick<StoredBatch, 'id' | 'items' | 'sealedAt'>,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  if (id === undefined) return false
  try {
    const { requestCount, createdAt } = await batchApi.retrieve(id, signal)
    // Simulators number their batches, so two of them may have the same id for different batches.
    const hasSameSize = requestCount === undefined || requestCount === items.size
    return hasSameSize && createdAt >= sealedAt - clockSkewMs
  } catch (error) {
    if (!(error instanceof AskError)) throw error
    return error.requestError.kind !== 'malformed' && isTransient(error.requestError) ? undefined : false
  }
}

/** A batch is created after its local file is complete, but the clocks may differ: milliseconds. */
const clockSkewMs = 6 * 3_600_000
