import type { BatchItem, BatchResult, BatchResultLine, UnreadableResult } from '../../core/batch/batch.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { AskError } from '../../core/errors/ask-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'
import { pluralize } from '../../core/text/format-number.ts'
import type { Shutdown } from '../shutdown.ts'
import { isTransientError, retryUntilSuccess } from './retry-until-success.ts'

/** A request of a batch and what became of it. */
export interface BatchItemResult {
  /** Its `custom_id`. */
  readonly customId: string
  readonly item: BatchItem
  readonly result: BatchResult
}

export interface ReadResultsOptions {
  readonly batchApi: BatchApi
  readonly shutdown: Shutdown
  readonly clock: Clock
  readonly random: () => number
  /** How often the API is asked again whether it is back, before the rest is left for later. */
  readonly retries: number
  readonly listener: {
    /** A download failed for a reason that will pass; it starts again after this wait. */
    onRetry(error: AskError, waitMs: number): void
    /** The results hold something they should not. */
    onWarning(text: string): void
  }
}

/** How many downloads in a row may bring nothing new before what is missing is left for another run. */
const maxFruitlessDownloads = 5

/**
 * Yields the result of each request of a batch that has ended, downloading the results as often as that takes. A
 * download that is cut off, even at the end of a line, is followed by another. An answer is given up as unreadable only
 * where two downloads agree: it was paid for. A line that does not name its request counts for a request that has no
 * line at all, where there is one such line for each.
 * @param missing the requests without an answer, by `custom_id`; each leaves it as it is yielded. Those that are left at
 * the end have no answer in the results
 * @throws AskError where the API is down, or for what no further download can cure; the reason of a stop
 */
export async function* readResults(
  { id, documents }: { readonly id: string; readonly documents: StoredBatch['items'] },
  missing: Map<string, BatchItem>,
  { batchApi, shutdown, listener, ...retryOptions }: ReadResultsOptions,
): AsyncGenerator<BatchItemResult> {
  const history: DownloadHistory = {
    unreadableOnce: new Set(),
    unexpectedIds: new Set(),
    duplicateIds: new Set(),
  }
  /** The last download accounted for every request, though not readably. */
  let isExplained = false
  let fruitlessDownloads = 0
  while (missing.size > 0 && fruitlessDownloads < maxFruitlessDownloads) {
    if (fruitlessDownloads > 0)
      await retryOptions.clock.sleep(
        computeBackoffMs(fruitlessDownloads, retryOptions.random()),
        shutdown.drainSignal,
      )
    const missingBefore = missing.size
    try {
      const { unreadable, unidentified } = yield* readDownload(
        batchApi.fetchResults(id, shutdown.abortSignal),
        documents,
        {
          missing,
          ...history,
        },
      )
      const withoutLine = [...missing].filter(([id]) => !unreadable.has(id))
      const wasExplained = isExplained
      isExplained = withoutLine.length <= unidentified.count
      if (isExplained && wasExplained)
        for (const [id, item] of withoutLine) {
          missing.delete(id)
          yield { customId: id, item, result: toUnreadableResult(unidentified) }
        }
    } catch (error) {
      if (!isTransientError(error)) throw error
      // The API may be down for a while: the next download starts once it answers.
      const untilBack = { ...retryOptions, drainSignal: shutdown.drainSignal, onRetry: listener.onRetry }
      await retryUntilSuccess(() => batchApi.retrieve(id, shutdown.abortSignal), untilBack)
    }
    fruitlessDownloads = missing.size < missingBefore ? 0 : fruitlessDownloads + 1
  }
  for (const text of listWarnings(id, history)) listener.onWarning(text)
}

/** What the downloads so far have shown, by `custom_id`. */
interface DownloadHistory {
  /** Requests whose line could not be read. */
  readonly unreadableOnce: Set<string>
  readonly unexpectedIds: Set<string>
  readonly duplicateIds: Set<string>
}

/** What a whole download leaves to explain. */
interface Download {
  /** Requests whose line could not be read for the first time. */
  readonly unreadable: ReadonlySet<string>
  readonly unidentified: UnidentifiedLines
}

/** Lines that name no request. */
interface UnidentifiedLines {
  count: number
  /** What is wrong with the last one. */
  reason: string
  lines: string
}

async function* readDownload(
  lines: AsyncIterable<BatchResultLine>,
  documents: StoredBatch['items'],
  {
    missing,
    unreadableOnce,
    unexpectedIds,
    duplicateIds,
  }: DownloadHistory & { readonly missing: Map<string, BatchItem> },
): AsyncGenerator<BatchItemResult, Download> {
  const seen = new Set<string>()
  const unreadable = new Set<string>()
  const unidentified = { count: 0, reason: '', lines: '' }
  try {
    for await (const { customId: id, result } of lines) {
      if (id === undefined) {
        unidentified.count++
        unidentified.reason = result.unreadableReason
        if (unidentified.lines.length < maxKeptCharacters) unidentified.lines += `${result.line}\n`
        continue
      }
      const item = missing.get(id)
      if (!documents.has(id)) unexpectedIds.add(id)
      else if (seen.has(id)) duplicateIds.add(id)
      else seen.add(id)
      if (isUnreadable(result) && !unreadableOnce.has(id)) unreadable.add(id)
      else if (item !== undefined) {
        missing.delete(id)
        yield { customId: id, item, result }
      }
    }
    return { unreadable, unidentified }
  } finally {
    for (const id of unreadable) unreadableOnce.add(id)
  }
}

function isUnreadable(result: BatchResult): boolean {
  return typeof result === 'object' && 'unreadableReason' in result
}

function listWarnings(batch: string, { unexpectedIds, duplicateIds }: DownloadHistory): string[] {
  const results = `the results of the batch ${batch}`
  const unknown = pluralize(unexpectedIds.size, 'answer')
  const twice = pluralize(duplicateIds.size, 'request')
  return [
    ...(duplicateIds.size > 0 ? [`${results} answer ${twice} twice; the first answer counts`] : []),
    ...(unexpectedIds.size > 0 ? [`${results} have ${unknown} to requests that are not in it; ignored`] : []),
  ]
}

/** Of lines that name no request, characters in all. */
const maxKeptCharacters = 100_000

/** The result of a request whose line is one of those that name no request. */
function toUnreadableResult({ count, reason, lines }: UnidentifiedLines): UnreadableResult {
  if (count === 1) return { unreadableReason: reason, line: lines.trimEnd() }
  return {
    unreadableReason: `${count} lines of the results cannot be read and name no request; one of them may be its answer`,
    line: lines.trimEnd(),
  }
}
