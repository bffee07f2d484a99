import type { RequestError } from '../errors/request-error.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Reply } from '../request/reply.ts'
import type { RequestMetadata } from '../run/outcome.ts'
import type { Provenance } from '../run/provenance.ts'

/** A Message Batch, as the service tells of it. Times are wall-clock milliseconds since 1970. */
export interface Batch {
  readonly id: string
  readonly state: 'in_progress' | 'canceling' | 'ended'
  /** How many requests it has, if the API says so; what became of them is known only once it has ended. */
  readonly requestCount?: number
  readonly createdAt: number
  readonly endedAt?: number
  /** It ended so long ago that its results are gone: 29 days after it was made. */
  readonly isArchived: boolean
}

/** One line of a batch's results: what became of a request. */
export type BatchResultLine =
  | { readonly customId: string; readonly result: BatchResult }
  /** The line does not say which request it is about. */
  | { readonly customId: undefined; readonly result: UnreadableResult }

/** What became of one request of a batch: billed only where there is a reply, or may be one. */
export type BatchResult =
  | { readonly reply: Reply }
  | { readonly requestError: RequestError }
  | UnreadableResult
  | 'canceled'
  | 'expired'

/** A line of the results that is there, but is not what the API documents. */
export interface UnreadableResult {
  /** What is wrong with it, for people. */
  readonly unreadableReason: string
  /** The line itself, which may hold text that was paid for; its beginning, where it is very long. */
  readonly line: string
}

/** A document that was put into a batch, as it was then: what its outcome will be made from. */
export interface BatchItem {
  readonly path: string
  readonly asked: RequestMetadata & {
    readonly provenance: Provenance
    readonly answerSettings: AnswerSettings
  }
}

/**
 * What a batch may hold, of which 256 MB is reached long before 100,000 where documents are long.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
const batchLimits = { items: 100_000, bytes: 256_000_000 } as const

/** How much is in a batch. */
export interface BatchSize {
  readonly items: number
  /** Of the body as it goes over the wire. */
  readonly bytes: number
}

/** Whether one more request, of so many bytes, still goes in; a batch that is empty takes any. */
export function hasRoom(
  { items: requests, bytes }: BatchSize,
  additionalBytes: number,
  limits: BatchSize = batchLimits,
): boolean {
  return requests === 0 || (requests < limits.items && bytes + additionalBytes <= limits.bytes)
}

/**
 * The name a request has in its batch, from its key: 64 characters of `[a-zA-Z0-9_-]` at most. It begins with the
 * batch's own name, by which a batch is recognised whose creation was not heard of.
 * @param localId 16 hexadecimal digits
 * @param itemNumber tells the same question about several documents apart
 */
export function createCustomId(localId: string, requestHash: string, itemNumber: number): string {
  return `${localId}_${requestHash.slice(0, 40)}_${itemNumber.toString(36)}`
}

/** Whether a value can be the API's id of a batch: it becomes a part of a URL's path, which `..` would change. */
export function isBatchId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 256 && !/^\.+$/.test(value)
}

/** Whether a request of this name was put into that batch. */
export function isCustomIdOfBatch(localId: string, customId: string): boolean {
  return customId.startsWith(`${localId}_`)
}
