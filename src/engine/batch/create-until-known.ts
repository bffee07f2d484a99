import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { SealedBatch, StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { classifyError, isTransient } from '../../core/errors/classify-error.ts'
import { getRetryAfterMs, mayBeBilled, type RequestError } from '../../core/errors/request-error.ts'
import { BatchError, type RunError } from '../../core/errors/run-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { Shutdown } from '../shutdown.ts'
import type { BatchRecovery } from './recover-batch.ts'

export interface CreateCallJob {
  readonly batchApi: BatchApi
  readonly recovery: BatchRecovery
  readonly shutdown: Shutdown
  readonly clock: Clock
  readonly random: () => number
  readonly retries: number
  readonly toRunError: (error: AskError) => RunError
  readonly listener: { onRetry(error: AskError, waitMs: number): void }
  /**
   * Collects other batches for some milliseconds, or until the run is stopped. Undefined if the run must not wait
   * until the account's queue has room.
   */
  readonly collectFor: ((ms: number) => AsyncGenerator<Outcome>) | undefined
  readonly queue: QueueState
}

/** What the batches of a run know about the account's queue. */
export interface QueueState {
  /** Since when the API has refused every batch with a 429: monotonic milliseconds. */
  fullSince?: number | undefined
}

/**
 * Sends the create call until the batch was created or may have been created. While the API answers 429, because
 * batches of this run or of others fill the account's queue, it waits and yields the outcomes of batches that end.
 * @returns the error, if the API refused the batch for its content or its size
 * @throws RunError if no batch was created, and the stored batch is removed; the reason of a shutdown
 */
export async function* createUntilKnown(
  batch: SealedBatch,
  job: CreateCallJob,
): AsyncGenerator<Outcome, RequestError | undefined> {
  const { batchApi, recovery, shutdown, clock, random, retries, listener, queue } = job
  const refusals = { all: 0, withEmptyQueue: 0 }
  let failures = 0
  for (;;) {
    let isQueueEmpty = false
    try {
      ;({ isQueueEmpty } = await recovery.noteEarlierBatches(batch))
      shutdown.drainSignal.throwIfAborted()
      const { id } = await batchApi.create(batch.readBody(), shutdown.abortSignal)
      await batch.markCreated(id)
      queue.fullSince = undefined
      return undefined
    } catch (error) {
      // The call was aborted in flight: the next run finds out whether the API created the batch.
      if (!(error instanceof AskError)) {
        if (error === shutdown.drainSignal.reason && !shutdown.abortSignal.aborted) await batch.remove()
        throw error
      }
      const { requestError } = error
      if (mayWaitForQueue(requestError, job)) {
        refusals.withEmptyQueue = isQueueEmpty ? refusals.withEmptyQueue + 1 : 0
        if (yield* waitForQueue(batch, error, { ...job, refusals })) return undefined
        if (refusals.withEmptyQueue > maxEmptyRefusals && batch.items.size > 1) return requestError
        continue
      }
      const isRetried = isTransient(requestError) && ++failures <= retries
      if (isRetried) {
        const waitMs = getRetryAfterMs(requestError) ?? computeBackoffMs(failures, random())
        listener.onRetry(error, waitMs)
        await clock.sleep(waitMs, shutdown.drainSignal)
      }
      if (mayBeCreated(requestError) && (await recovery.findBatch(batch)) !== 'not_created') return undefined
      if (isRetried) continue
      if (isContentError(requestError)) return requestError
      await batch.remove()
      throw classifyError(requestError) === 'account'
        ? job.toRunError(error)
        : createRefusedError(requestError)
    }
  }
}

/** For how long a run accepts that the API refuses all its batches. Batches of others end within 24 hours. */
const maxFullMs = 25 * 3_600_000

/** A batch that is refused more often than this while the queue is empty is larger than the queue. */
const maxEmptyRefusals = 5

function mayWaitForQueue(requestError: RequestError, { collectFor, clock, queue }: CreateCallJob): boolean {
  if (collectFor === undefined || classifyError(requestError) !== 'rate_limited') return false
  queue.fullSince ??= clock.now()
  return clock.now() - queue.fullSince < maxFullMs
}

interface QueueWaitJob extends CreateCallJob {
  /** Counts the waits for this batch. */
  readonly refusals: { all: number }
}

/**
 * Waits after a 429. If another run created a batch of the same size at that moment, waits until it is known
 * whether it is this batch.
 * @returns whether the API created the batch, or may have created it
 */
async function* waitForQueue(
  batch: StoredBatch,
  error: AskError,
  job: QueueWaitJob,
): AsyncGenerator<Outcome, boolean> {
  const { recovery, shutdown, random, retries, listener, collectFor, refusals } = job
  const retryAfterMs = getRetryAfterMs(error.requestError) ?? 0
  for (;;) {
    const found = await recovery.findBatch(batch)
    if (typeof found === 'object' || found === 'unknown') return true
    const backoffMs = computeQueueWaitMs(++refusals.all, retries, random())
    const waitMs = Math.min(maxFullMs, Math.max(retryAfterMs, backoffMs))
    listener.onRetry(error, waitMs)
    if (collectFor !== undefined) yield* collectFor(waitMs)
    if (found === 'not_created') return false
    if (shutdown.drainSignal.aborted || !mayWaitForQueue(error.requestError, job)) return true
  }
}

/**
 * Returns how long to wait before a batch is sent again, in milliseconds. The first waits suit a limit of calls per
 * minute. A full queue needs minutes, and each attempt uploads up to 256 MB.
 */
function computeQueueWaitMs(refusals: number, retries: number, random: number): number {
  if (refusals <= retries) return computeBackoffMs(refusals, random)
  return Math.round(((1 + random) / 2) * Math.min(maxWaitMs, minWaitMs * 2 ** (refusals - retries - 1)))
}

const minWaitMs = 60_000
const maxWaitMs = 600_000

/**
 * Whether the API may have created the batch despite this error. Only a clear refusal rules that out: a
 * gateway may answer with 429 or 529 after it has passed the request on.
 */
function mayBeCreated(requestError: RequestError): boolean {
  const { kind, status = 0 } = requestError
  if (kind !== 'status') return mayBeBilled(requestError)
  return (
    classifyError(requestError) !== 'account' &&
    (status >= 500 || status === 408 || status === 409 || status === 429)
  )
}

/** Whether the API refused the batch for its content or its size. */
function isContentError(requestError: RequestError): boolean {
  return classifyError(requestError) === 'document' && [400, 413, 422].includes(requestError.status ?? 0)
}

/** Returns the error that ends a run because the API did not accept a batch. */
export function createRefusedError(requestError: RequestError): BatchError {
  const message = `the API did not accept the batch: ${requestError.status ?? requestError.kind} ${requestError.type}: ${requestError.message}`
  return new BatchError(message, isTransient(requestError))
}
