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
 * The batch as the API returns it; `not_created`; `undecided` if a batch that may be it has not ended yet; or
 * `unknown` if the API does not show whether it was created.
 */
type RecoveryResult = Batch | 'unknown' | 'undecided' | 'not_created'

export interface BatchRecovery {
  /**
   * Notes which batches exist before a batch is created: none of them can be that batch.
   * @returns whether the API has processed all batches that it lists; false if it does not answer
   * @throws the reason of a shutdown
   */
  noteEarlierBatches(batch: StoredBatch): Promise<{ readonly isQueueEmpty: boolean }>
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

/** Which of the listed batches may be a stored batch whose creation was not confirmed. */
interface Search {
  /** Ids of batches that existed before the create call. */
  readonly earlierIds: ReadonlySet<string>
  /**
   * Ids of the batches that were listed after the create call, once it must be among them. Later batches are those
   * of other runs, such as other shards.
   */
  readonly candidateIds?: ReadonlySet<string>
}

/**
 * Returns the batch recovery, which finds batches whose creation was not confirmed. The create call has no
 * idempotency key, so it cannot be repeated safely. Before anything is sent again, the recovery lists the
 * API's batches of that time and size. It looks for the one whose `custom_id`s contain the local batch id.
 * The API shows `custom_id`s only after a batch has ended. Other runs under the same account, such as other shards,
 * may create batches of the same size at the same time.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createBatchRecovery(
  { batchApi, clock, random, retries, shutdown, listener }: BatchRecoveryOptions,
  openBatches: readonly StoredBatch[],
): BatchRecovery {
  /** Ids of batches that are already matched to a stored batch. */
  const knownIds = new Set(openBatches.flatMap(({ id }) => id ?? []))
  /** The searches of this run, by local batch id. */
  const searches = new Map<string, Search>()
  /** One `custom_id` of each other batch that has ended, by batch id; '' if its results can never be read. */
  const customIds = new Map<string, string>()

  /**
   * Returns one `custom_id` of a batch, or none if no line of its results has one. Returns undefined if each
   * download had fewer lines than the batch has requests: the results may be readable later.
   */
  const readCustomId = async ({
    id,
    isArchived,
    requestCount = 0,
  }: Batch): Promise<{ readonly customId?: string } | undefined> => {
    if (isArchived) return { customId: '' }
    for (let reads = 1; ; reads++) {
      let lineCount = 0
      try {
        for await (const { customId } of batchApi.fetchResults(id, shutdown.abortSignal)) {
          if (customId !== undefined) return { customId }
          lineCount++
        }
      } catch (error) {
        // The batch belongs to another client, which has just deleted it.
        if (error instanceof AskError && isNotFound(error.requestError)) return { customId: '' }
        throw error
      }
      if (lineCount >= requestCount) return {}
      if (reads === maxLookups) return undefined
      await clock.sleep(lookupIntervalMs, shutdown.drainSignal)
    }
  }
  /** Looks once for a batch. @param listedIds gets the ids of all batches that may be the stored one */
  const searchBatches = async (
    batch: StoredBatch,
    { earlierIds, candidateIds }: Search,
    listedIds: Set<string>,
  ): Promise<{ readonly result: RecoveryResult; readonly isComplete: boolean }> => {
    const { batches, isComplete } = await listSince(batch)
    let [isUndecided, isUnreadable] = [false, false]
    let unidentified: Batch | undefined
    const adopt = async (found: Batch) => {
      await batch.markCreated(found.id)
      knownIds.add(found.id)
      return { result: found, isComplete }
    }
    for (const found of batches) {
      const { id, state, requestCount = batch.items.size } = found
      if (knownIds.has(id) || earlierIds.has(id) || requestCount !== batch.items.size) continue
      if (candidateIds?.has(id) === false) continue
      listedIds.add(id)
      // Another stored batch may match this `custom_id` later, so it is kept.
      const known = customIds.get(id)
      const read =
        known !== undefined ? { customId: known } : state === 'ended' && (await readCustomId(found))
      if (read === false) isUndecided = true
      else if (read === undefined) isUnreadable = true
      else if (read.customId === undefined) unidentified ??= found
      else if (isCustomIdOfBatch(batch.localId, read.customId)) return adopt(found)
      else customIds.set(id, read.customId)
    }
    if (isUnreadable || !isComplete) return { result: 'unknown', isComplete }
    if (isUndecided) return { result: 'undecided', isComplete }
    // Its results have no readable line, and waiting does not change that. If it is this batch, its documents
    // may have been billed; if not, they fail without having been sent. In both cases the next run sends them
    // again.
    return unidentified === undefined ? { result: 'not_created', isComplete } : adopt(unidentified)
  }
  const listSince = ({ sealedAt }: StoredBatch) =>
    batchApi.listSince(sealedAt - clockSkewMs, shutdown.abortSignal)
  const retryOptions = {
    clock,
    random,
    retries,
    drainSignal: shutdown.drainSignal,
    onRetry: listener.onRetry,
  }
  return {
    async noteEarlierBatches(batch) {
      const listed = await listSince(batch).catch((error: unknown) => {
        // If the account is the cause, the create call shows it, too.
        if (error instanceof AskError) return undefined
        throw error
      })
      searches.set(batch.localId, { earlierIds: new Set(listed?.batches.map(({ id }) => id)) })
      return { isQueueEmpty: listed?.batches.every(({ state }) => state === 'ended') ?? false }
    },
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
        throw new UnknownBatchError(id, batch.localId)
      })
    }
    const search = searches.get(batch.localId) ?? { earlierIds: new Set() }
    const listedIds = new Set<string>()
    for (let lookups = 1; ; lookups++) {
      const { result, isComplete } = await searchBatches(batch, search, listedIds)
      if (typeof result === 'object' || search.candidateIds !== undefined) return result
      if (lookups === maxLookups) {
        if (isComplete) searches.set(batch.localId, { ...search, candidateIds: listedIds })
        return result
      }
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
