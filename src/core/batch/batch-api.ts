import type { Request } from '../request/request.ts'
import type { Batch, BatchResultLine } from './batch.ts'

/**
 * The client for Message Batches. All methods reject with an `AskError` for a request error, or with the
 * reason of the signal once it has aborted.
 */
export interface BatchApi {
  /** Returns a request for the body of {@link BatchApi.create}: JSON on one line, `custom_id` first. */
  formatEntry(id: string, request: Request): string
  /**
   * Creates a batch. If the reply is lost, the batch may exist all the same.
   * @param body the request body: JSON
   */
  create(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Batch>
  retrieve(id: string, signal: AbortSignal): Promise<Batch>
  /** Lists at least the batches created since `time`, by the local clock: milliseconds since 1970. */
  listSince(time: number, signal: AbortSignal): Promise<BatchList>
  cancel(id: string, signal: AbortSignal): Promise<Batch>
  /** Yields the results of a batch that has ended, in any order. The stream may fail before its end. */
  fetchResults(id: string, signal: AbortSignal): AsyncIterable<BatchResultLine>
}

/** Batches of an account. */
interface BatchList {
  readonly batches: readonly Batch[]
  /** False if the API may have left some out. */
  readonly isComplete: boolean
}
