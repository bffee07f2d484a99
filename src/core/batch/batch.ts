import type { RequestError } from '../errors/request-error.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Reply } from '../request/reply.ts'
import type { RequestMetadata } from '../run/outcome.ts'
import type { Provenance } from '../run/provenance.ts'

/** A Message Batch, as the API describes it. Times are wall-clock milliseconds since 1970. */
export interface Batch {
  readonly id: string
  readonly state: 'in_progress' | 'canceling' | 'ended'
  /** Number of requests, if known. Their results are known only when the batch has ended. */
  readonly requestCount?: number
  readonly createdAt: number
  readonly endedAt?: number
  /** Whether the API has deleted the results, which it does 29 days after the creation. */
  readonly isArchived: boolean
}

/** One line of the results of a batch. */
export type BatchResultLine =
  | { readonly customId: string; readonly result: BatchResult }
  /** The line does not say which request it is about. */
  | { readonly customId: undefined; readonly result: UnreadableResult }

/** The result of one request of a batch. It is billed only if there is a reply, or may be one. */
export type BatchResult =
  | { readonly reply: Reply }
  | { readonly requestError: RequestError }
  | UnreadableResult
  | 'canceled'
  | 'expired'

/** A line of the results that is not in the documented format. */
export interface UnreadableResult {
  /** Why the line is unreadable, for display. */
  readonly unreadableReason: string
  /** The line, which may contain text that was paid for; if it is very long, its beginning. */
  readonly line: string
}

/** A document when it was added to a batch. Its outcome is made from this. */
export interface BatchItem {
  readonly path: string
  /** As in `DocumentRef`. */
  readonly mirroredPath?: string
  readonly asked: RequestMetadata & {
    readonly provenance: Provenance
    readonly answerSettings: AnswerSettings
  }
}

/**
 * The limits of a batch. With long documents, 256 MB are reached long before 100,000 requests.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
const batchLimits = { items: 100_000, bytes: 256_000_000 } as const

/** The size of a batch. */
export interface BatchSize {
  readonly items: number
  /** Size of the request body. */
  readonly bytes: number
}

/** Whether one more request fits into a batch. An empty batch has room for a request of any size. */
export function hasRoom(
  { items, bytes }: BatchSize,
  additionalBytes: number,
  limits: BatchSize = batchLimits,
): boolean {
  return items === 0 || (items < limits.items && bytes + additionalBytes <= limits.bytes)
}

/**
 * Returns the `custom_id` of a request in a batch: at most 64 characters of `[a-zA-Z0-9_-]`. It begins with
 * the local id of the batch, which identifies a batch whose creation was not confirmed.
 * @param localId 16 hexadecimal digits
 * @param itemNumber distinguishes documents with the same request
 */
export function createCustomId(localId: string, requestHash: string, itemNumber: number): string {
  return `${localId}_${requestHash.slice(0, 40)}_${itemNumber.toString(36)}`
}

/** Whether a value can be a batch id of the API. It becomes part of a URL path, so `..` is not allowed. */
export function isBatchId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 256 && !/^\.+$/.test(value)
}

/** Whether a `custom_id` belongs to a request of the batch with this local id. */
export function isCustomIdOfBatch(localId: string, customId: string): boolean {
  return customId.startsWith(`${localId}_`)
}
