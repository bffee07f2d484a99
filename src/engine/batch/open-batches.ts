import type { BatchItem } from '../../core/batch/batch.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { DocumentRef } from '../../core/document/document.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { BatchError, RunError } from '../../core/errors/run-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { pluralize } from '../../core/text/format-number.ts'
import { type CollectCallbacks, type CollectJob, collectBatch } from './collect-batch.ts'
import type { BatchRecovery } from './recover-batch.ts'
import { isTransientError } from './retry-until-success.ts'

export interface OpenBatchesJob extends CollectJob, Pick<CollectCallbacks, 'findSource' | 'readDocument'> {
  /** Whether the user asked to leave documents in batches. */
  readonly isDetached: boolean
  readonly listener: CollectJob['listener'] & {
    /** Called with the batches that the run waits for. */
    onWaiting(batches: readonly StoredBatch[]): void
    /** Called when a batch cannot be collected, for a different reason than the error that ends the run. */
    onCollectError(error: RunError): void
  }
}

/** The batches that a run collects. */
export interface OpenBatches {
  add(batch: StoredBatch): void
  /** The batches that have not ended yet. */
  readonly waiting: readonly StoredBatch[]
  /**
   * Whether a document is in one of the batches. It is not sent again, even if the batch cannot be collected.
   */
  hasDocument(path: string): boolean
  /**
   * Collects the batches that have ended. @param onRequeue called for each document that the API did not
   * process
   */
  collectEnded(onRequeue: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /**
   * Collects batches as they end, until none is left or the run is stopped. @param onRequeue see
   * `collectEnded`
   */
  collectUntilAllEnd(onRequeue: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /**
   * Collects batches that end within some milliseconds, or until the run is stopped. @param onRequeue see
   * `collectEnded`
   */
  collectFor(ms: number, onRequeue: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /** Drains the run with an error if a batch cannot be collected. */
  stopIfUncollectable(): void
  /** Yields a pending outcome for each document that is still in a batch. */
  yieldPending(): Generator<Outcome>
}

/** Returns the collection of a run's batches. A batch that cannot be collected does not delay the others. */
export function createOpenBatches(
  batches: readonly StoredBatch[],
  recovery: BatchRecovery,
  job: OpenBatchesJob,
): OpenBatches {
  const { findSource, shutdown, clock, isDetached, listener } = job
  const { drainSignal } = shutdown
  const waiting = new Set<StoredBatch>()
  const itemsByBatch = new Map<StoredBatch, Map<string, BatchItem>>()
  /** The errors of batches that cannot be collected. */
  const collectErrors: RunError[] = []

  const add = (batch: StoredBatch) => {
    const unsettled = [...batch.items.values()].filter(({ path }) => !batch.isSettled(path))
    waiting.add(batch)
    itemsByBatch.set(batch, new Map(unsettled.map((item) => [item.path, item])))
  }
  const releaseReservation = ({ path }: BatchItem) => {
    job.reservations.get(path)?.(0n)
    job.reservations.delete(path)
  }
  async function* collectIfEnded(
    batch: StoredBatch,
    onRequeue: (outcome: Outcome) => void,
  ): AsyncGenerator<Outcome> {
    const remaining = itemsByBatch.get(batch) ?? new Map<string, BatchItem>()
    const onSettled = ({ document }: Outcome) => void remaining.delete(document.path)
    const onReleased = (outcome: Outcome) => {
      onSettled(outcome)
      onRequeue(outcome)
    }
    const found = await recovery.findBatch(batch)
    if (found === 'unknown' || found === 'undecided') return
    if (found !== 'not_created' && found.state !== 'ended') return
    if (found === 'not_created') {
      for (const item of remaining.values()) {
        releaseReservation(item)
        onReleased(createPendingOutcome(findSource(item.path), 'its batch was never created', item.asked))
      }
      await batch.remove()
    } else yield* collectBatch(batch, found, { ...job, onRequeue: onReleased, onSettled })
    waiting.delete(batch)
  }
  async function* collectEnded(onRequeue: (outcome: Outcome) => void): AsyncGenerator<Outcome> {
    for (const batch of waiting) {
      try {
        yield* collectIfEnded(batch, onRequeue)
      } catch (error) {
        if (error === drainSignal.reason || error === shutdown.abortSignal.reason) return
        // The next poll may succeed.
        if (isTransientError(error)) continue
        const collectError = error instanceof AskError ? job.toRunError(error) : error
        if (!(collectError instanceof RunError)) throw collectError
        waiting.delete(batch)
        collectErrors.push(collectError)
        // An error that concerns one batch does not stop the collection of the others.
        if (!(error instanceof AskError || error instanceof BatchError)) shutdown.drain(collectError)
      }
    }
  }

  for (const batch of batches) add(batch)
  return {
    add,
    get waiting() {
      return [...waiting]
    },
    hasDocument: (path) => [...itemsByBatch.values()].some((documents) => documents.has(path)),
    collectEnded,
    async *collectUntilAllEnd(onRequeue) {
      try {
        for (let pollMs = minPollMs; waiting.size > 0; pollMs = Math.min(maxPollMs, pollMs * 2)) {
          listener.onWaiting([...waiting])
          await clock.sleep(pollMs, drainSignal)
          yield* collectEnded(onRequeue)
          for (const batch of waiting) {
            if (clock.wallTime() - batch.sealedAt < maxWaitMs) continue
            waiting.delete(batch)
            collectErrors.push(new BatchError(formatOverdue(batch), true))
          }
        }
      } catch (error) {
        if (error !== drainSignal.reason) throw error
      } finally {
        listener.onWaiting([])
      }
    },
    async *collectFor(ms, onRequeue) {
      try {
        for (let leftMs = ms; leftMs > 0; leftMs -= maxPollMs) {
          listener.onWaiting([...waiting])
          await clock.sleep(Math.min(maxPollMs, leftMs), drainSignal)
          yield* collectEnded(onRequeue)
        }
      } catch (error) {
        if (error !== drainSignal.reason) throw error
      } finally {
        listener.onWaiting([])
      }
    },
    stopIfUncollectable() {
      // One error ends the run. The others are reported, each once.
      const byMessage = new Map(collectErrors.map((collectError) => [collectError.message, collectError]))
      for (const [message, collectError] of byMessage) {
        const { reason } = drainSignal as { readonly reason?: unknown }
        if (drainSignal.aborted && !(reason instanceof Error && reason.message === message))
          listener.onCollectError(collectError)
        shutdown.drain(collectError)
      }
    },
    *yieldPending() {
      for (const [batch, documents] of itemsByBatch) {
        const reason =
          batch.id === undefined
            ? `it may be in the batch ${batch.localId}, which the API has not confirmed`
            : `it is in the batch ${batch.id}`
        const isResumable = !(isDetached && waiting.has(batch))
        for (const { path, asked } of documents.values())
          yield {
            ...createPendingOutcome(findSource(path), reason, asked, isResumable),
            ...(batch.id !== undefined && { inBatch: true }),
          }
      }
    },
  }
}

const minPollMs = 2000
/** Most batches take minutes to an hour. The API's documentation asks clients to poll about once a minute. */
const maxPollMs = 60_000

/**
 * One hour longer than a batch takes: the API ends every batch 24 hours after its creation, whether it has
 * processed all requests or not.
 */
const maxWaitMs = 25 * 3_600_000

function formatOverdue({ id, localId, items }: StoredBatch): string {
  const count = pluralize(items.size, 'request')
  return id === undefined
    ? `the API does not show whether it created the batch ${localId}: its ${count} may have been billed, and ${items.size === 1 ? 'is' : 'are'} not sent again`
    : `the API does not show that the batch ${id} has ended, 25 hours after it was created; try again later`
}

/**
 * Returns the outcome of a document that a later run continues with.
 * @param isResumable the same command continues with the document, although nothing stopped this run
 */
export function createPendingOutcome(
  document: DocumentRef,
  reason: string,
  requestMetadata?: Outcome['requestMetadata'],
  isResumable = true,
): Outcome {
  return {
    document,
    ...(requestMetadata !== undefined && { requestMetadata }),
    attempts: [],
    elapsedMs: 0,
    status: 'pending',
    reason,
    ...(isResumable && { deferred: isResumable }),
  }
}
