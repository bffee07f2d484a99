import type { RequestError } from '../errors/request-error.ts'
import type { Picodollars } from '../pricing/pricing-rules.ts'
import type { Usage } from '../pricing/usage.ts'

/** One request that was sent, and how it ended. Latency, cost and the request log are per attempt. */
export interface Attempt {
  readonly path: string
  /** Number of the attempt for this document, from 1. */
  readonly attemptNumber: number
  /** When the request was sent: wall-clock milliseconds since 1970. */
  readonly startedAt: number
  /**
   * When the request was sent, by the monotonic clock of this process: milliseconds. Use this for durations,
   * because the wall clock may be set between two attempts. Undefined for a request in a batch.
   */
  readonly monotonicStartMs?: number
  /** From sending the request to the last byte or the error: milliseconds. */
  readonly elapsedMs: number
  readonly firstTokenMs?: number | undefined
  /** The model that replied; without a reply, the requested model. */
  readonly model: string
  readonly requestId?: string | undefined
  /** HTTP status; undefined if there was no response. */
  readonly status?: number | undefined
  /** Undefined if the server returned no token counts. */
  readonly usage?: Usage | undefined
  /** The cost of `usage`; undefined if unknown. */
  readonly cost?: Picodollars | undefined
  /** The Message Batch of the request, if any. Times are then those of the batch. */
  readonly batchId?: string
  /** Undefined if the attempt got a reply. */
  readonly error?: RequestError
}
