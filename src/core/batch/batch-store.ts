import type { Load, Packed } from './batch.ts'

/** What is remembered of batches that have not been collected yet; see `docs/ledger.md`. All reject with a RunError `io`. */
export interface BatchStore {
  /** Of earlier runs, the oldest first. */
  readonly open: readonly StoredBatch[]
  /** Begins a new one. */
  pack(): Promise<Packing>
}

/** A batch that is being filled. */
export interface Packing {
  /** Of the batch that it will be. */
  readonly intent: string
  readonly load: Load
  /** @param entry its request, as it stands in the body */
  add(id: string, document: Packed, entry: string): Promise<void>
  /** Nothing more goes in; what is in it survives a crash from now on. */
  seal(): Promise<StoredBatch>
  discard(): Promise<void>
}

/** A batch that is meant to be made, or was. */
export interface StoredBatch {
  readonly intent: string
  /** Where it was, or is to be, sent. */
  readonly endpoint: string
  /** When it was packed: wall-clock milliseconds since 1970. */
  readonly packed: number
  /** By their `custom_id`s. */
  readonly documents: ReadonlyMap<string, Packed>
  /** The service's name for it; undefined where it was not heard whether there is such a batch. */
  readonly id: string | undefined
  /** What is to be sent. */
  body(): AsyncIterable<Uint8Array>
  /** The requests in the body, in the order of {@link documents}, until the batch is made. */
  entries(): AsyncIterable<string>
  /** Takes note that there is one. */
  made(id: string): Promise<void>
  /** Whether a document needs no answer any more: what became of it is in the ledger, or it was sent again. */
  isSettled(path: string): boolean
  /** Takes note that documents are settled, while the batch is kept for others. @param names their `custom_id`s */
  settle(names: readonly string[]): Promise<void>
  /** All of it is where it belongs, or it was never made: forgets it. */
  forget(): Promise<void>
}
