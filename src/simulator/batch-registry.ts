import type { IncomingMessage } from 'node:http'
import { type ApiError, invalidRequestError } from './api-error.ts'
import type { Message } from './api-message.ts'
import type { BatchCall } from './batch-call.ts'
import { createItemProcessor } from './batch-item-processor.ts'
import { listSimulatedBatches } from './list-simulated-batches.ts'
import { readBatchItems } from './read-batch-items.ts'
import type { ReadPdf } from './read-citable-pdf.ts'
import type { Script } from './script.ts'
import { createSeededRandom } from './seeded-random.ts'
import { type BatchJson, createSimulatedBatch, dayMs, type SimulatedBatch } from './simulated-batch.ts'
import type { MessageRequest } from './validate-request.ts'

export interface BatchRegistryOptions {
  /** Duration of a batch in milliseconds. */
  readonly durationMs?: number
  /** How many requests the batches that have not ended may have in total. Default: the limit of the tier `Start`. */
  readonly maxQueuedRequests?: number
  /** Chooses the result of a request, instead of the simulator's script. */
  readonly chooseResult?: (request: MessageRequest) => 'expired' | 'canceled' | undefined
  /** Whether results have been deleted. */
  readonly isArchived?: () => boolean
  /** The `results_url` of ended batches. Default: a URL of the simulator. */
  readonly resultsUrl?: string
}

export interface BatchRegistryContext {
  readonly options: BatchRegistryOptions
  readonly seed: number
  /** Decides how each valid request is answered. */
  readonly script: Script
  readonly readPdf: ReadPdf | undefined
  /** Called for every message; each is billed. */
  readonly onMessage: (request: MessageRequest, message: Message) => void
}

/** The batches of the simulated API. */
export interface BatchRegistry {
  /** Returns the number of created batches and of requests in them. */
  getCounts(): { readonly created: number; readonly requests: number }
  /** Executes a call that returns a batch, a list of batches or an error. @param id of the batch */
  runCall(
    call: Exclude<BatchCall, 'results'>,
    id: string,
    incoming: IncomingMessage,
  ): Promise<ApiError | BatchJson>
  /** Returns the lines of a batch's results, or undefined if there are no results. */
  findResults(id: string): Promise<Iterable<string> | undefined>
}

/** Creates an empty registry. */
export function createBatchRegistry({
  options,
  seed,
  script,
  readPdf,
  onMessage,
}: BatchRegistryContext): BatchRegistry {
  const { durationMs = 1500, chooseResult, isArchived = () => false, resultsUrl } = options
  const { maxQueuedRequests = 200_000 } = options
  const batches = new Map<string, SimulatedBatch>()
  let [batchCount, requestCount] = [0, 0]
  const processItem = createItemProcessor({
    isTooSlow: durationMs > dayMs,
    script,
    readPdf,
    chooseResult,
    onMessage,
  })
  const createRandom = () => createSeededRandom(seed + batches.size)

  const create = async (incoming: IncomingMessage): Promise<SimulatedBatch | ApiError> => {
    const items = await readBatchItems(incoming)
    if ('status' in items) return items
    const queued = [...batches.values()].reduce((sum, batch) => sum + batch.countQueued(), 0)
    if (queued + items.length > maxQueuedRequests) return createQueueFullError(maxQueuedRequests)
    const id = `msgbatch_sim${String(++batchCount).padStart(8, '0')}`
    const batch = createSimulatedBatch({
      id,
      items,
      durationMs,
      processItem,
      createRandom,
      isArchived,
      resultsUrl,
    })
    batches.set(id, batch)
    requestCount += items.length
    return batch
  }

  return {
    getCounts: () => ({ created: batchCount, requests: requestCount }),
    async runCall(name, id, incoming) {
      const host = incoming.headers.host ?? ''
      if (name === 'list') return listSimulatedBatches(incoming.url ?? '', host, batches)
      const batch = name === 'create' ? await create(incoming) : batches.get(id)
      if (batch === undefined) return { status: 404, message: `message batch ${id} not found` }
      if ('status' in batch) return batch
      if (name === 'delete') {
        if (!batch.isEnded())
          return invalidRequestError('a batch that has not ended cannot be deleted; cancel it first')
        batches.delete(id)
        return { id, type: 'message_batch_deleted' }
      }
      if (name === 'cancel') {
        if (batch.isEnded()) return invalidRequestError('the batch has ended and cannot be canceled')
        batch.cancel()
      }
      return batch.toJson(host)
    },
    async findResults(id) {
      const batch = batches.get(id)
      return !batch?.isEnded() || isArchived() ? undefined : batch.formatResults()
    },
  }
}

/**
 * Returns the error for a full queue. The API documents its status, type and header, but neither the message nor the
 * value of the header.
 * @see https://platform.claude.com/docs/en/api/rate-limits
 */
function createQueueFullError(maxQueuedRequests: number): ApiError {
  return {
    status: 429,
    message: `This request would exceed your limit of ${maxQueuedRequests} batch requests in the processing queue.`,
    headers: { 'retry-after': '1' },
  }
}
