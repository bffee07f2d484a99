import type { Bounds } from '../estimate/estimate.ts'
import { dollars, type Picodollars } from '../pricing/price.ts'
import { duration } from '../text/format-duration.ts'
import { manyOf } from '../text/format-number.ts'

/** Which way documents go, and why, for people. */
export interface Route {
  readonly via: 'live' | 'batch'
  readonly why: string
}

export interface RouteOptions {
  readonly documents: number
  /** At the limits, live: milliseconds. */
  readonly liveMs: number
  /** Undefined is unknown. */
  readonly live: Bounds<Picodollars> | undefined
  readonly batch: Bounds<Picodollars> | undefined
  /** When nothing new may begin any more: milliseconds from now. */
  readonly deadlineMs: number | undefined
}

const hour = 3_600_000

/** Most batches end within this; none takes longer than a day. */
const mostlyMs = hour
const atMostMs = 24 * hour

/** Less than this is not worth an hour's wait: USD 1. */
const worthWaiting: Picodollars = 1_000_000_000_000n

/** Chooses between an answer now and one at half the price, by how long and how much. */
export function routeOf({ documents, liveMs, live, batch, deadlineMs }: RouteOptions): Route {
  const what = manyOf(documents, 'document')
  const takes = `${what} ${documents === 1 ? 'takes' : 'take'} about ${duration(liveMs)} live`
  const saved = live === undefined || batch === undefined ? undefined : live.expected - batch.expected
  const saves = saved === undefined ? 'half of an unknown price' : `about ${dollars(saved)}`
  if (deadlineMs !== undefined && deadlineMs < mostlyMs)
    return { via: 'live', why: `live: --time-limit ${duration(deadlineMs)} is too soon for a batch` }
  if (deadlineMs !== undefined && deadlineMs < atMostMs && liveMs <= deadlineMs)
    return { via: 'live', why: `live: ${takes}, and a batch may take a day, longer than --time-limit` }
  if (liveMs > mostlyMs)
    return { via: 'batch', why: `as a batch: ${takes}, and a batch mostly less than an hour` }
  if (saved === undefined || saved < worthWaiting)
    return { via: 'live', why: `live: ${takes}, and a batch would save ${saves}` }
  return { via: 'batch', why: `as a batch: it saves ${saves}; ${takes}` }
}

/** What is looked at before a run is taken to be slow: milliseconds. */
const longEnough = 120_000

/** Whether the rest of a live run is better off in a batch: at the pace it keeps, that would be there sooner. */
export function isBetterInBatch(done: number, left: number, elapsedMs: number): boolean {
  return elapsedMs >= longEnough && (elapsedMs / Math.max(1, done)) * left > mostlyMs
}
