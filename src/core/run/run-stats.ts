import { countDocument, type DocumentCount } from '../document/document-count.ts'
import { mayBeBilled } from '../errors/request-error.ts'
import type { Picodollars } from '../pricing/pricing-rules.ts'
import { addUsage, type Usage, zeroUsage } from '../pricing/usage.ts'
import { computePercentiles } from '../report/distribution.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Outcome } from './outcome.ts'

/** The account of a run. Times in milliseconds, money in picodollars. */
export interface RunStats {
  readonly documents: Readonly<Record<Outcome['status'], number>>
  /** How many of the failed ones the same run may cure tomorrow. */
  readonly transientFailures: number
  /** Not done, though nothing stopped the run: the same command goes on with them. */
  readonly deferred: number
  /** How many pending documents are in a batch that the API has confirmed. */
  readonly inBatch: number
  readonly skippedByReason: ReadonlyMap<string, DocumentCount>
  /** Summaries that may be worth a look, by the reason. */
  readonly flaggedByIssue: ReadonlyMap<string, DocumentCount>
  readonly requests: number
  /** Sendings beyond a document's first, by what made them necessary. */
  readonly retriesByCause: ReadonlyMap<string, number>
  readonly usage: Usage
  readonly cost: Picodollars
  /** How many of the requests went in batches. */
  readonly batchRequests: number
  /** Answers whose cost is not in `cost`: uncounted by the server, or of a model without a price. */
  readonly repliesWithUnknownCost: number
  /** How many answers came from which model. */
  readonly repliesByModel: ReadonlyMap<string, number>
  /** Requests whose answer was lost on the way: the service may have billed them. */
  readonly lostReplies: number
  /** Of the requests that were answered with 200, from sending to the last byte. */
  readonly latency: Percentiles | undefined
  /** Of those that were streamed, from sending to the first piece of text. */
  readonly timeToFirstToken: Percentiles | undefined
  readonly wallMs: number
}

interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Adds up attempts and outcomes as they happen. */
export interface StatsCollector {
  addAttempt(attempt: Attempt): void
  addOutcome(outcome: Outcome): void
  /** Where things stand; cheap enough to be asked ten times a second. */
  getProgress(): Pick<RunStats, 'documents' | 'transientFailures' | 'deferred' | 'inBatch' | 'cost'>
  getStats(wallMs: number): RunStats
}

/** @param skipped documents that were left out before the run, by the reason */
export function createStatsCollector(
  skipped: ReadonlyMap<string, DocumentCount> = new Map(),
): StatsCollector {
  const skippedBefore = [...skipped.values()].reduce((sum, { count }) => sum + count, 0)
  const documents = { summarized: 0, failed: 0, skipped: skippedBefore, pending: 0 }
  const skippedByReason = new Map(skipped)
  const flaggedByIssue = new Map<string, DocumentCount>()
  const retriesByCause = new Map<string, number>()
  const repliesByModel = new Map<string, number>()
  const lastErrorByPath = new Map<string, string>()
  const latencies: number[] = []
  const firstTokens: number[] = []
  let usage = zeroUsage
  let cost = 0n
  let [requests, batchRequests, transientFailures, deferred, inBatch, repliesWithUnknownCost, lostReplies] = [
    0, 0, 0, 0, 0, 0, 0,
  ]

  const getProgress = () => ({
    documents: { ...documents },
    transientFailures,
    deferred,
    inBatch,
    cost,
  })

  return {
    addAttempt(attempt) {
      requests++
      if (attempt.batchId !== undefined) batchRequests++
      // Chunks of one document are asked about at the same time: a request may be another's first.
      if (attempt.attemptNumber > 1) increment(retriesByCause, lastErrorByPath.get(attempt.path) ?? 'unknown')
      if (attempt.error !== undefined) {
        lastErrorByPath.set(attempt.path, String(attempt.error.status ?? attempt.error.type))
        if (mayBeBilled(attempt.error)) lostReplies++
      }
      if (attempt.error === undefined) {
        if (attempt.batchId === undefined) latencies.push(attempt.elapsedMs)
        if (attempt.firstTokenMs !== undefined) firstTokens.push(attempt.firstTokenMs)
        increment(repliesByModel, attempt.model)
      }
      if (attempt.usage !== undefined) usage = addUsage(usage, attempt.usage)
      if (attempt.cost !== undefined) cost += attempt.cost
      else if (attempt.error === undefined) repliesWithUnknownCost++
    },
    addOutcome(outcome) {
      documents[outcome.status]++
      lastErrorByPath.delete(outcome.document.path)
      if (outcome.status === 'skipped') countDocument(skippedByReason, outcome.type, outcome.document.path)
      if (outcome.status === 'summarized')
        for (const doubt of outcome.qualityIssues ?? [])
          countDocument(flaggedByIssue, doubt, outcome.document.path)
      if (outcome.status === 'failed' && outcome.failure.transient) transientFailures++
      if (outcome.status === 'pending' && outcome.deferred) deferred++
      if (outcome.status === 'pending' && outcome.inBatch) inBatch++
    },
    getProgress,
    getStats: (wallMs) => ({
      ...getProgress(),
      skippedByReason,
      flaggedByIssue,
      requests,
      batchRequests,
      retriesByCause,
      repliesByModel,
      usage,
      repliesWithUnknownCost,
      lostReplies,
      latency: toPercentiles(latencies),
      timeToFirstToken: toPercentiles(firstTokens),
      wallMs,
    }),
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function toPercentiles(values: readonly number[]): Percentiles | undefined {
  return values.length === 0 ? undefined : computePercentiles(Float64Array.from(values).sort())
}
