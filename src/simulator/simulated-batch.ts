import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { BatchItemResult } from './batch-item-processor.ts'

/** One request of a batch. Its parameters, as they were sent, are dropped after processing. */
export interface BatchItem {
  readonly id: string
  params: Buffer | undefined
  result: BatchItemResult | undefined
}

/** A batch or a list of batches, as the API returns it. */
export type BatchJson = Readonly<Record<string, unknown>> & { readonly status?: never }

export interface SimulatedBatchOptions {
  readonly id: string
  readonly items: BatchItem[]
  /** Duration of the batch in milliseconds. */
  readonly durationMs: number
  readonly processItem: (params: Buffer, isCanceled: boolean) => Promise<BatchItemResult>
  /** Returns a random number generator for the order of the results. */
  readonly createRandom: () => () => number
  readonly isArchived: () => boolean
  /** The batch's `results_url`. Default: a URL of the requested host. */
  readonly resultsUrl: string | undefined
}

/** A batch that ends after its duration. Its counts stay at zero until then. */
export interface SimulatedBatch {
  readonly id: string
  isEnded(): boolean
  /** Returns how many of its requests are not processed yet. */
  countQueued(): number
  /** Cancels the batch: it ends soon, and half of its requests are canceled. */
  cancel(): void
  toJson(host: string): Promise<BatchJson>
  /** Returns the lines of the results, without line breaks, in random order. Call it only after the end. */
  formatResults(): Promise<Iterable<string>>
}

/** The API ends every batch after a day, whether all requests were processed or not. */
export const dayMs = 86_400_000

/** Creates a batch that starts now. */
export function createSimulatedBatch(options: SimulatedBatchOptions): SimulatedBatch {
  const { id, items, durationMs, processItem, createRandom, isArchived, resultsUrl } = options
  const createdAt = Date.now()
  let canceledAt: number | undefined
  let processing: Promise<void> | undefined

  const computeEnd = () =>
    Math.min(createdAt + Math.min(durationMs, dayMs), (canceledAt ?? Number.POSITIVE_INFINITY) + 50)
  const isEnded = () => Date.now() >= computeEnd()
  /**
   * Processes all requests at the end, which no client can notice. Yields to the event loop regularly, so
   * that other requests are served.
   */
  const process = () =>
    (processing ??= (async () => {
      for (const [n, item] of items.entries()) {
        if (n % 200 === 199) await yieldToEventLoop()
        const isCanceled = canceledAt !== undefined && n % 2 === 1
        item.result = await processItem(item.params ?? Buffer.from('null'), isCanceled)
        item.params = undefined
      }
      shuffle(items, createRandom())
    })())

  return {
    id,
    isEnded,
    countQueued: () => (isEnded() ? 0 : items.length),
    cancel() {
      canceledAt ??= Date.now()
    },
    async toJson(host) {
      const ended = isEnded()
      if (ended) await process()
      return {
        id,
        type: 'message_batch',
        processing_status: ended ? 'ended' : canceledAt === undefined ? 'in_progress' : 'canceling',
        request_counts: countResults(items, ended),
        created_at: formatTime(createdAt),
        expires_at: formatTime(createdAt + dayMs),
        ended_at: ended ? formatTime(computeEnd()) : null,
        cancel_initiated_at: canceledAt === undefined ? null : formatTime(canceledAt),
        archived_at: isArchived() ? formatTime(createdAt + 29 * dayMs) : null,
        results_url:
          ended && !isArchived() ? (resultsUrl ?? `http://${host}/v1/messages/batches/${id}/results`) : null,
      }
    },
    async formatResults() {
      await process()
      return formatLines(items)
    },
  }
}

function shuffle(items: unknown[], random: () => number): void {
  for (let n = items.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1))
    ;[items[n], items[other]] = [items[other], items[n]]
  }
}

function countResults(items: readonly BatchItem[], isEnded: boolean): Readonly<Record<string, number>> {
  const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 }
  if (!isEnded) return { ...counts, processing: items.length }
  for (const { result } of items) if (result !== undefined) counts[result.type]++
  return counts
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

function* formatLines(items: readonly BatchItem[]): Generator<string> {
  for (const { id, result } of items) yield JSON.stringify({ custom_id: id, result })
}
