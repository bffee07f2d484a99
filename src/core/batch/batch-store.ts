import type { BatchItem, BatchSize } from './batch.ts'

/** What is remembered of batches that have not been collected yet; see `docs/ledger.md`. All reject with a RunError. */
export interface BatchStore {
  /** Of earlier runs, the oldest first. */
  readonly openBatches: readonly StoredBatch[]
  /** Begins a new one. */
  createBuilder(): Promise<BatchBuilder>
}

/** A batch that is being filled. */
export interface BatchBuilder {
  /** Of the batch that it will be. */
  readonly localId: string
  readonly size: BatchSize
  /** @param entry its request, as it stands in the body */
  add(id: string, document: BatchItem, entry: string): Promise<void>
  /** Nothing more goes in; what is in it survives a crash from now on. */
  seal(): Promise<StoredBatch>
  discard(): Promise<void>
}

/** A batch that is meant to be made, or was. */
export interface StoredBatch {
  readonly localId: string
  /** Where it was, or is to be, sent. */
  readonly endpoint: string
  /** When it was packed: wall-clock milliseconds since 1970. */
  readonly sealedAt: number
  /** By their `custom_id`s. */
  readonly items: ReadonlyMap<string, BatchItem>
  /** The service's name for it; undefined where it was not heard whether there is such a batch. */
  readonly id: string | undefined
  /** What is to be sent. */
  readBody(): AsyncIterable<Uint8Array>
  /** The requests in the body, in the order of {@link items}, until the batch is made. */
  readEntries(): AsyncIterable<string>
  /** Takes note that there is one. */
  markCreated(id: string): Promise<void>
  /** Whether a document needs no answer any more: what became of it is in the ledger, or it was sent again. */
  isSettled(path: string): boolean
  /** Takes note that documents are settled, while the batch is kept for others. @param customIds their `custom_id`s */
  markSettled(customIds: readonly string[]): Promise<void>
  /** All of it is where it belongs, or it was never made: forgets it. */
  remove(): Promise<void>
}
