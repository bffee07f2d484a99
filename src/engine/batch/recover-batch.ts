import { type Batch, isCustomIdOfBatch } from '../../core/batch/batch.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { isNotFound } from '../../core/errors/request-error.ts'
import { UnknownBatchError } from '../../core/errors/run-error.ts'
import type { Clock } from '../../core/run/clock.ts'
import type { Shutdown } from '../shutdown.ts'
import { isTransientError, type RetryUntilSuccessOptions, retryUntilSuccess } from './retry-until-success.ts'

/** The batch as the API has it; `not_created`; `unknown` where it cannot be known yet whether it was created. */
type RecoveryResult = Batch | 'unknown' | 'not_created'

export interface BatchRecovery {
  /**
   * Looks for a batch, again and again where the API cannot answer for now, and leaves the question open after that:
   * one batch that cannot be found must not hold up the others.
   * @throws AskError where the account is refused; UnknownBatchError; the reason of a stop
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
 * Finds batches at the service. Creating one cannot be repeated safely, as there is no key to make it idempotent, so
 * where nobody heard whether it was made it is looked for before anything is sent again: among those of that time and
 * size, the one whose requests bear its name. They show that only once it has ended.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createBatchRecovery(
  { batchApi, clock, random, retries, shutdown, listener }: BatchRecoveryOptions,
  openBatches: readonly StoredBatch[],
): BatchRecovery {
  /** Batches that are known by their ids. */
  const knownIds = new Set(openBatches.flatMap(({ id }) => id ?? []))
  /** The `custom_id` of one request of each other batch that has shown it; '' where none will. */
  const customIds = new Map<string, string>()

  /**
   * Undefined where the results do not show whose they are. A download that is shorter than the batch was cut off, and
   * the name may stand in the part that is missing, so it is read again.
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
        // Somebody else's, deleted a moment ago.
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
      // It may be another one that is looked for, so what it is called is kept, and not only what it is not.
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
    // No line of its results can be read, and none ever will be: if it is this batch, its documents may be billed, and
    // if it is another, they fail without having been sent. Either way the next run sends them; waiting has no end.
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
        // A moment after it was made the service may not know it yet.
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
 * By so much the clock of the machine may have been ahead when the batch was packed, and have been corrected since. Looking
 * at more batches costs little; one that is not found is sent, and paid for, again.
 */
const clockSkewMs = 3 * 86_400_000

/** A batch appears among the others within moments: three looks over four seconds find it. */
const maxLookups = 3
const lookupIntervalMs = 2000

const propagationMs = 300_000
