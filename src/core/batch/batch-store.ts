import type { BatchItem, BatchSize } from './batch.ts'

/** The stored batches that have not been collected; see `docs/ledger.md`. Methods reject with a RunError. */
export interface BatchStore {
  /** Batches of earlier runs, the oldest first. */
  readonly openBatches: readonly StoredBatch[]
  /** Starts a new batch. */
  createBuilder(): Promise<BatchBuilder>
}

/** A batch that is being filled. */
export interface BatchBuilder {
  /** The local id of the batch. */
  readonly localId: string
  readonly size: BatchSize
  /**
   * Adds a request to the batch.
   * @param entry the request, as in the body; see `formatEntry` in {@link BatchApi}
   */
  add(id: string, document: BatchItem, entry: string): Promise<void>
  /** Completes the batch. From now on it survives a crash. */
  seal(): Promise<SealedBatch>
  discard(): Promise<void>
}

/** A batch that is complete, and can be sent until it is created. */
export interface SealedBatch extends StoredBatch {
  /** Reads the request body that creates the batch. */
  readBody(): AsyncIterable<Uint8Array>
  /** Reads the requests in the body, in the order of {@link items}. */
  readEntries(): AsyncIterable<string>
}

/** A batch that will be created at the API, or was created. */
export interface StoredBatch {
  readonly localId: string
  /** The base URL that the batch is, or will be, sent to. */
  readonly endpoint: string
  /** When the batch was sealed: wall-clock milliseconds since 1970. */
  readonly sealedAt: number
  /** The documents, by `custom_id`. */
  readonly items: ReadonlyMap<string, BatchItem>
  /** The batch id of the API; undefined if the creation is not confirmed. */
  readonly id: string | undefined
  /** Records that the API has created the batch. */
  markCreated(id: string): Promise<void>
  /** Whether a document needs no reply any more: its outcome is in the ledger, or it was sent again. */
  isSettled(path: string): boolean
  /**
   * Records that documents are settled, while the batch is kept for others.
   * @param customIds their `custom_id`s
   */
  markSettled(customIds: readonly string[]): Promise<void>
  /** Deletes the stored batch, when all of its documents are settled or it was never created. */
  remove(): Promise<void>
}
