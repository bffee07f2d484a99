import type { RequestError } from '../errors/request-error.ts'
import type { Picodollars } from '../pricing/pricing-rules.ts'
import type { Usage } from '../pricing/usage.ts'

/** One sending of one request, however it ended: the unit of the log, of latency and of money. */
export interface Attempt {
  readonly path: string
  /** Which sending for this document, from 1. */
  readonly attemptNumber: number
  /** When it was sent: wall-clock milliseconds since 1970. */
  readonly startedAt: number
  /**
   * When it was sent, by the monotonic clock of this process: milliseconds. Differences of `at` are no durations, since
   * the clock may be set between two attempts. Undefined for what went in a batch.
   */
  readonly monotonicStartMs?: number
  /** From sending to the last byte, or to the error: milliseconds. */
  readonly elapsedMs: number
  readonly firstTokenMs?: number
  /** The model that answered, or that was asked. */
  readonly model: string
  readonly requestId?: string
  /** HTTP status; undefined where no response came. */
  readonly status?: number
  /** Undefined where the server did not count, or nothing came back. */
  readonly usage?: Usage
  /** What that usage costs; undefined is unknown. */
  readonly cost?: Picodollars
  /** The batch it went in, if it did: then its times are the batch's. */
  readonly batchId?: string
  /** What went wrong; undefined for a reply. */
  readonly error?: RequestError
}
