import type { BatchItem, BatchResult, BatchResultLine, UnreadableResult } from '../../core/batch/batch.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { AskError } from '../../core/errors/ask-error.ts'
import { computeBackoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/run/clock.ts'
import { pluralize } from '../../core/text/format-number.ts'
import type { Shutdown } from '../shutdown.ts'
import { isTransientError, retryUntilSuccess } from './retry-until-success.ts'

/** One request of a batch and its result. */
export interface BatchItemResult {
  /** The `custom_id` of the request. */
  readonly customId: string
  readonly item: BatchItem
  readonly result: BatchResult
}

export interface ReadResultsOptions {
  readonly batchApi: BatchApi
  readonly shutdown: Shutdown
  readonly clock: Clock
  readonly random: () => number
  /**
   * The maximum number of polls while the API is down. After that, a later run reads the remaining results.
   */
  readonly retries: number
  readonly listener: {
    /** Called when a download fails with a transient error. It is retried after `waitMs`. */
    onRetry(error: AskError, waitMs: number): void
    /** Called with a warning for the user when the results contain something unexpected. */
    onWarning(text: string): void
  }
}

/**
 * The maximum number of downloads in a row without a new result. After that, a later run reads the missing
 * results.
 */
const maxFruitlessDownloads = 5

/**
 * Yields the result of each request of an ended batch, and downloads the results again as long as some are
 * missing. A download that was cut off, even at the end of a line, is repeated. Answers are billed, so an
 * answer counts as unreadable only if two downloads agree. A line that does not name its request may belong
 * to any request without a line. Such lines are used only if there are enough for all of these requests.
 * @param missing the requests without a result, by `custom_id`; yielding a result deletes its request from
 * this map, so at the end it has the requests without an answer
 * @throws AskError if the API is down or another download would not help; the reason of a shutdown
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
  /** Whether the last download had a line for every missing request, though some lines were unreadable. */
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
      // The API may be down for a while, so the next download waits until the API answers.
      const untilBack = { ...retryOptions, drainSignal: shutdown.drainSignal, onRetry: listener.onRetry }
      await retryUntilSuccess(() => batchApi.retrieve(id, shutdown.abortSignal), untilBack)
    }
    fruitlessDownloads = missing.size < missingBefore ? 0 : fruitlessDownloads + 1
  }
  for (const text of listWarnings(id, history)) listener.onWarning(text)
}

/** Problems that the downloads so far had, by `custom_id`. */
interface DownloadHistory {
  /** Requests whose line could not be read. */
  readonly unreadableOnce: Set<string>
  readonly unexpectedIds: Set<string>
  readonly duplicateIds: Set<string>
}

/** The lines of a complete download that could not be read. */
interface Download {
  /** Requests whose line could not be read for the first time. */
  readonly unreadable: ReadonlySet<string>
  readonly unidentified: UnidentifiedLines
}

/** Lines that name no request. */
interface UnidentifiedLines {
  count: number
  /** Why the last of these lines is unreadable. */
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

/** The maximum number of characters to keep, in total, of lines that name no request. */
const maxKeptCharacters = 100_000

/** Returns the result of a request whose line is one of the lines that name no request. */
function toUnreadableResult({ count, reason, lines }: UnidentifiedLines): UnreadableResult {
  if (count === 1) return { unreadableReason: reason, line: lines.trimEnd() }
  return {
    unreadableReason: `${count} lines of the results cannot be read and name no request; one of them may be its answer`,
    line: lines.trimEnd(),
  }
}
