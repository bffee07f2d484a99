import type { Fault } from '../errors/request-error.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Reply } from '../request/reply.ts'
import type { Asked } from '../run/outcome.ts'
import type { RunFacts } from '../run/provenance.ts'

/** A Message Batch, as the service tells of it. Times are wall-clock milliseconds since 1970. */
export interface Batch {
  readonly id: string
  readonly state: 'in_progress' | 'canceling' | 'ended'
  /** How many requests it has, if the API says so; what became of them is known only once it has ended. */
  readonly requests?: number
  readonly created: number
  readonly ended?: number
  /** It ended so long ago that its results are gone: 29 days after it was made. */
  readonly archived: boolean
}

/** One line of a batch's results: what became of a request. */
export type BatchAnswer =
  | { readonly id: string; readonly result: BatchResult }
  /** The line does not say which request it is about. */
  | { readonly id: undefined; readonly result: UnreadableResult }

/** What became of one request of a batch: billed only where there is a reply, or may be one. */
export type BatchResult =
  | { readonly reply: Reply }
  | { readonly fault: Fault }
  | UnreadableResult
  | 'canceled'
  | 'expired'

/** A line of the results that is there, but is not what the API documents. */
export interface UnreadableResult {
  /** What is wrong with it, for people. */
  readonly unreadable: string
  /** The line itself, which may hold text that was paid for; its beginning, where it is very long. */
  readonly line: string
}

/** A document that was put into a batch, as it was then: what its outcome will be made from. */
export interface Packed {
  readonly path: string
  readonly asked: Asked & { readonly facts: RunFacts; readonly settings: AnswerSettings }
}

/**
 * What a batch may hold, of which 256 MB is reached long before 100,000 where documents are long.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
const batchLimits = { requests: 100_000, bytes: 256_000_000 } as const

/** How much is in a batch. */
export interface Load {
  readonly requests: number
  /** Of the body as it goes over the wire. */
  readonly bytes: number
}

/** Whether one more request, of so many bytes, still goes in; a batch that is empty takes any. */
export function hasRoom({ requests, bytes }: Load, more: number, limits: Load = batchLimits): boolean {
  return requests === 0 || (requests < limits.requests && bytes + more <= limits.bytes)
}

/**
 * The name a request has in its batch, from its key: 64 characters of `[a-zA-Z0-9_-]` at most. It begins with the
 * batch's own name, by which a batch is recognised whose creation was not heard of.
 * @param intent 16 hexadecimal digits
 * @param n tells the same question about several documents apart
 */
export function customId(intent: string, key: string, n: number): string {
  return `${intent}_${key.slice(0, 40)}_${n.toString(36)}`
}

/** Whether a value can be the API's id of a batch: it becomes a part of a URL's path, which `..` would change. */
export function isBatchId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 256 && !/^\.+$/.test(value)
}

/** Whether a request of this name was put into that batch. */
export function isOf(intent: string, id: string): boolean {
  return id.startsWith(`${intent}_`)
}
