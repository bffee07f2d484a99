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

export interface OpenBatchesJob extends CollectJob, Pick<CollectCallbacks, 'findSource' | 'readText'> {
  /** Whether leaving documents in batches is what the user asked for. */
  readonly isDetached: boolean
  readonly listener: CollectJob['listener'] & {
    /** The run waits for these batches. */
    onWaiting(batches: readonly StoredBatch[]): void
    /** A batch cannot be collected, for another reason than the one that ends the run. */
    onCollectError(error: RunError): void
  }
}

/** The batches that a run collects from. */
export interface OpenBatches {
  add(batch: StoredBatch): void
  /** Those that may end yet. */
  readonly waiting: readonly StoredBatch[]
  /** Whether a document is in one of them: it is not sent again, even where the batch cannot be collected. */
  hasDocument(path: string): boolean
  /** Collects those that have ended by now. @param onRequeue called for each document that the API did not do */
  collectEnded(onRequeue: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /** Collects them as they end, until all have or the run is stopped. @param again as above */
  collectUntilAllEnd(again: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /** Ends the run where a batch cannot be collected. */
  stopIfUncollectable(): void
  /** An outcome for each document that is still in one of them. */
  yieldPending(): Generator<Outcome>
}

/** One batch that cannot be collected, now or ever, does not hold up the others. */
export function createOpenBatches(
  batches: readonly StoredBatch[],
  recovery: BatchRecovery,
  job: OpenBatchesJob,
): OpenBatches {
  const { findSource, shutdown, clock, isDetached, listener } = job
  const { drainSignal } = shutdown
  const waiting = new Set<StoredBatch>()
  const itemsByBatch = new Map<StoredBatch, Map<string, BatchItem>>()
  /** Why batches cannot be collected. */
  const collectErrors: RunError[] = []

  const add = (batch: StoredBatch) => {
    const unsettled = [...batch.items.values()].filter(({ path }) => !batch.isSettled(path))
    waiting.add(batch)
    itemsByBatch.set(batch, new Map(unsettled.map((packed) => [packed.path, packed])))
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
    if (found === 'unknown' || (found !== 'not_created' && found.state !== 'ended')) return
    if (found === 'not_created') {
      for (const packed of remaining.values()) {
        releaseReservation(packed)
        onReleased(createPendingOutcome(findSource(packed.path), 'its batch was never created', packed.asked))
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
        // It may be well again the next time.
        if (isTransientError(error)) continue
        const collectError = error instanceof AskError ? job.toRunError(error) : error
        if (!(collectError instanceof RunError)) throw collectError
        waiting.delete(batch)
        collectErrors.push(collectError)
        // What is wrong with one batch is no reason to leave the others.
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
    stopIfUncollectable() {
      // One reason ends the run; the others are worth knowing, too, each once.
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
        const later = !(isDetached && waiting.has(batch))
        for (const { path, asked } of documents.values())
          yield {
            ...createPendingOutcome(findSource(path), reason, asked, later),
            ...(batch.id !== undefined && { inBatch: true }),
          }
      }
    },
  }
}

const minPollMs = 2000
/** Most batches take minutes to an hour; the API asks clients to look about once a minute. */
const maxPollMs = 60_000

/** The API ends a batch 24 hours after it was created, done or not. */
const maxWaitMs = 25 * 3_600_000

function formatOverdue({ id, localId, items }: StoredBatch): string {
  const count = pluralize(items.size, 'document')
  return id === undefined
    ? `it cannot be known whether the batch ${localId} was created, as the API does not show whose the batches of that time are: its ${count} may have been paid for, and ${count === '1 document' ? 'is' : 'are'} not sent again`
    : `the API does not show that the batch ${id} has ended, 25 hours after it was created; run again later`
}

/** A document that is left to a later run. @param isResumable the same command goes on with it, though nothing stopped this one */
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
