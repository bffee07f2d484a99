import { type Counted, countDocument } from '../document/count-with-example.ts'
import { mayBeBilled } from '../errors/request-error.ts'
import type { Picodollars } from '../pricing/price.ts'
import { addUsage, noUsage, type Usage } from '../pricing/usage.ts'
import { percentilesOf } from '../report/distribution.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Outcome } from './outcome.ts'

/** The account of a run. Times in milliseconds, money in picodollars. */
export interface Report {
  readonly documents: Readonly<Record<Outcome['status'], number>>
  /** How many of the failed ones the same run may cure tomorrow. */
  readonly transient: number
  /** Not done, though nothing stopped the run: the same command goes on with them. */
  readonly later: number
  readonly skippedBy: ReadonlyMap<string, Counted>
  /** Summaries that may be worth a look, by the reason. */
  readonly doubtfulBy: ReadonlyMap<string, Counted>
  readonly requests: number
  /** Sendings beyond a document's first, by what made them necessary. */
  readonly retriesBy: ReadonlyMap<string, number>
  readonly usage: Usage
  readonly cost: Picodollars
  /** How many of the requests went in batches. */
  readonly inBatches: number
  /** Answers whose cost is not in `cost`: uncounted by the server, or of a model without a price. */
  readonly unknownCost: number
  /** How many answers came from which model. */
  readonly answeredBy: ReadonlyMap<string, number>
  /** Requests whose answer was lost on the way: the service may have billed them. */
  readonly lostReplies: number
  /** Of the requests that were answered with 200, from sending to the last byte. */
  readonly latency: Percentiles | undefined
  /** Of those that were streamed, from sending to the first piece of text. */
  readonly firstToken: Percentiles | undefined
  readonly wallMs: number
}

interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Adds up attempts and outcomes as they happen. */
export interface Tally {
  attempt(attempt: Attempt): void
  outcome(outcome: Outcome): void
  /** Where things stand; cheap enough to be asked ten times a second. */
  standing(): Pick<Report, 'documents' | 'transient' | 'later' | 'cost'>
  report(wallMs: number): Report
}

/** @param skipped documents that were left out before the run, by the reason */
export function createTally(skipped: ReadonlyMap<string, Counted> = new Map()): Tally {
  const skippedBefore = [...skipped.values()].reduce((sum, { count }) => sum + count, 0)
  const documents = { summarized: 0, failed: 0, skipped: skippedBefore, pending: 0 }
  const skippedBy = new Map(skipped)
  const doubtfulBy = new Map<string, Counted>()
  const retriesBy = new Map<string, number>()
  const answeredBy = new Map<string, number>()
  const lastFault = new Map<string, string>()
  const latencies: number[] = []
  const firstTokens: number[] = []
  let usage = noUsage
  let cost = 0n
  let [requests, inBatches, transient, later, unknownCost, lostReplies] = [0, 0, 0, 0, 0, 0]

  const standing = () => ({ documents: { ...documents }, transient, later, cost })

  return {
    attempt(attempt) {
      requests++
      if (attempt.batch !== undefined) inBatches++
      // Chunks of one document are asked about at the same time: a request may be another's first.
      if (attempt.attempt > 1) increment(retriesBy, lastFault.get(attempt.path) ?? 'unknown')
      if (attempt.fault !== undefined) {
        lastFault.set(attempt.path, String(attempt.fault.status ?? attempt.fault.type))
        if (mayBeBilled(attempt.fault)) lostReplies++
      }
      if (attempt.fault === undefined) {
        if (attempt.batch === undefined) latencies.push(attempt.elapsedMs)
        if (attempt.firstTokenMs !== undefined) firstTokens.push(attempt.firstTokenMs)
        increment(answeredBy, attempt.model)
      }
      if (attempt.usage !== undefined) usage = addUsage(usage, attempt.usage)
      if (attempt.cost !== undefined) cost += attempt.cost
      else if (attempt.fault === undefined) unknownCost++
    },
    outcome(outcome) {
      documents[outcome.status]++
      lastFault.delete(outcome.source.path)
      if (outcome.status === 'skipped') countDocument(skippedBy, outcome.type, outcome.source.path)
      if (outcome.status === 'summarized')
        for (const doubt of outcome.doubts ?? []) countDocument(doubtfulBy, doubt, outcome.source.path)
      if (outcome.status === 'failed' && outcome.failure.transient) transient++
      if (outcome.status === 'pending' && outcome.later) later++
    },
    standing,
    report: (wallMs) => ({
      ...standing(),
      skippedBy,
      doubtfulBy,
      requests,
      inBatches,
      retriesBy,
      answeredBy,
      usage,
      unknownCost,
      lostReplies,
      latency: spread(latencies),
      firstToken: spread(firstTokens),
      wallMs,
    }),
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function spread(values: readonly number[]): Percentiles | undefined {
  return values.length === 0 ? undefined : percentilesOf(Float64Array.from(values).sort())
}
