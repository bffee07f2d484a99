import type { Request } from '../request/request.ts'
import type { Batch, BatchResultLine } from './batch.ts'

/**
 * The only way to the service's own batches. Everything rejects with an `AskError` for what went wrong on the way, or
 * with the signal's reason once it has aborted.
 */
export interface BatchApi {
  /** A request as it is in the body of {@link BatchApi.create}: JSON on one line, with its `custom_id` first. */
  formatEntry(id: string, request: Request): string
  /**
   * Makes a batch; whoever does not hear of it does not know whether there is one.
   * @param body the whole of it, as JSON
   */
  create(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Batch>
  retrieve(id: string, signal: AbortSignal): Promise<Batch>
  /** Those created since then, by this machine's clock, at least: milliseconds since 1970. */
  listSince(time: number, signal: AbortSignal): Promise<BatchList>
  cancel(id: string, signal: AbortSignal): Promise<Batch>
  /** What became of the requests of a batch that has ended, in no order. It may break off. */
  fetchResults(id: string, signal: AbortSignal): AsyncIterable<BatchResultLine>
}

/** Batches of an account. */
interface BatchList {
  readonly batches: readonly Batch[]
  /** False where the API did not list all of them: whether one is missing cannot be known. */
  readonly isComplete: boolean
}
