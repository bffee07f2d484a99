import { type Batch, isCustomIdOfBatch } from '../../core/batch/batch.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { isNotFound } from '../../core/errors/request-error.ts'
import { UnknownBatchError } from '../../core/errors/run-error.ts'
import type { Clock } from '../../core/run/clock.ts'
import type { Shutdown } from '../shutdown.ts'
import { isTransientError, type RetryUntilSuccessOptions, retryUntilSuccess } from './retry-until-success.ts'

/**
 * The batch as the API returns it; `not_created`; or `unknown` if the API does not show yet whether it was
 * created.
 */
type RecoveryResult = Batch | 'unknown' | 'not_created'

export interface BatchRecovery {
  /**
   * Looks up a batch, and retries while the API cannot answer. After the last retry it returns `unknown`, so
   * that one batch that cannot be found does not delay the others.
   * @throws AskError if the API refuses the account; UnknownBatchError; the reason of a shutdown
   */
  findBatch(batch: StoredBatch): Promise<RecoveryResult>
}

export interface BatchRecoveryOptions {
  readonly batchApi: BatchApi
  readonly clock: Clock
  readonly random: () => number
  readonly retries: number
  readonly shutdown: Pick<Shutdown, 'drainSignal' | 'abortSignal'>
  readonly listener: { onRetry: NonNullable<RetryUntilSuccessOptions['onRetry']> }
}

/**
 * Returns the batch recovery, which finds batches whose creation was not confirmed. The create call has no
 * idempotency key, so it cannot be repeated safely. Before anything is sent again, the recovery lists the
 * API's batches of that time and size. It looks for the one whose `custom_id`s contain the local batch id.
 * The API shows `custom_id`s only after a batch has ended.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createBatchRecovery(
  { batchApi, clock, random, retries, shutdown, listener }: BatchRecoveryOptions,
  openBatches: readonly StoredBatch[],
): BatchRecovery {
  /** Ids of batches that are already matched to a stored batch. */
  const knownIds = new Set(openBatches.flatMap(({ id }) => id ?? []))
  /** One `custom_id` of each other batch that has ended, by batch id; '' if its results can never be read. */
  const customIds = new Map<string, string>()

  /**
   * Returns one `custom_id` of a batch, or undefined if its results contain none. A download with fewer lines
   * than the batch has requests was cut off and may have lost the `custom_id`, so it is repeated.
   */
  const readCustomId = async ({ id, isArchived, requestCount = 0 }: Batch): Promise<string | undefined> => {
    if (isArchived) return ''
    for (let reads = 1; ; reads++) {
      let lineCount = 0
      try {
        for await (const { customId } of batchApi.fetchResults(id, shutdown.abortSignal)) {
          if (customId !== undefined) return customId
          lineCount++
        }
      } catch (error) {
        // The batch belongs to another client, which has just deleted it.
        if (error instanceof AskError && isNotFound(error.requestError)) return ''
        throw error
      }
      if (lineCount >= requestCount || reads === maxLookups) return undefined
      await clock.sleep(lookupIntervalMs, shutdown.drainSignal)
    }
  }
  const searchBatches = async (batch: StoredBatch): Promise<RecoveryResult> => {
    const listed = await batchApi.listSince(batch.sealedAt - clockSkewMs, shutdown.abortSignal)
    let isUncertain = !listed.isComplete
    let unidentified: Batch | undefined
    for (const found of listed.batches) {
      const { requestCount: requests = batch.items.size } = found
      if (knownIds.has(found.id) || requests !== batch.items.size) continue
      // Another stored batch may match this `custom_id` later, so it is kept.
      const customId =
        customIds.get(found.id) ?? (found.state === 'ended' ? await readCustomId(found) : undefined)
      if (customId === undefined && found.state === 'ended') unidentified ??= found
      else if (customId === undefined) isUncertain = true
      else if (isCustomIdOfBatch(batch.localId, customId)) {
        await batch.markCreated(found.id)
        knownIds.add(found.id)
        return found
      } else customIds.set(found.id, customId)
    }
    if (isUncertain) return 'unknown'
    if (unidentified === undefined) return 'not_created'
    // Its results have no readable line, and waiting does not change that. If it is this batch, its documents
    // may have been billed; if not, they fail without having been sent. In both cases the next run sends them
    // again.
    await batch.markCreated(unidentified.id)
    knownIds.add(unidentified.id)
    return unidentified
  }
  const retryOptions = {
    clock,
    random,
    retries,
    drainSignal: shutdown.drainSignal,
    onRetry: listener.onRetry,
  }
  return {
    findBatch: (batch) =>
      retryUntilSuccess(() => findOnce(batch), retryOptions).catch((error: unknown) => {
        if (isTransientError(error)) return 'unknown'
        throw error
      }),
  }

  async function findOnce(batch: StoredBatch): Promise<RecoveryResult> {
    const { id } = batch
    if (id !== undefined) {
      knownIds.add(id)
      return batchApi.retrieve(id, shutdown.abortSignal).catch((error: unknown) => {
        if (!(error instanceof AskError) || !isNotFound(error.requestError)) throw error
        // Right after the creation of a batch, the API may not find it yet.
        if (Math.abs(clock.wallTime() - batch.sealedAt) < propagationMs) return 'unknown'
        throw new UnknownBatchError(id)
      })
    }
    for (let lookups = 1; ; lookups++) {
      const found = await searchBatches(batch)
      if (found !== 'not_created' || lookups === maxLookups) return found
      await clock.sleep(lookupIntervalMs, shutdown.drainSignal)
    }
  }
}

/**
 * How far the machine's clock may have been ahead when the batch was sealed, if it was corrected since.
 * Looking at more batches costs little; a batch that is not found is sent and billed again.
 */
const clockSkewMs = 3 * 86_400_000

/** A new batch appears in the API's list within seconds: three lookups in four seconds find it. */
const maxLookups = 3
const lookupIntervalMs = 2000

const propagationMs = 300_000
