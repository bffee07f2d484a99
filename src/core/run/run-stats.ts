import { countDocument, type DocumentCount } from '../document/document-count.ts'
import { mayBeBilled } from '../errors/request-error.ts'
import type { Picodollars } from '../pricing/pricing-rules.ts'
import { addUsage, type Usage, zeroUsage } from '../pricing/usage.ts'
import { computePercentiles } from '../report/distribution.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Outcome } from './outcome.ts'

/** The statistics of a run. Times are milliseconds, costs are picodollars. */
export interface RunStats {
  readonly documents: Readonly<Record<Outcome['status'], number>>
  /** Failed documents that may succeed in a later run. */
  readonly transientFailures: number
  /** Documents that are pending although the run was not stopped; the same command continues with them. */
  readonly deferred: number
  /** Summaries of other documents with the same content, for which nothing was sent. */
  readonly reused: number
  /** How many pending documents are in a batch that the API has confirmed. */
  readonly inBatch: number
  readonly skippedByReason: ReadonlyMap<string, DocumentCount>
  /** Flagged summaries by quality check. */
  readonly flaggedByIssue: ReadonlyMap<string, DocumentCount>
  readonly requests: number
  /** Attempts after the first one for a document, by the error that caused them. */
  readonly retriesByCause: ReadonlyMap<string, number>
  readonly usage: Usage
  readonly cost: Picodollars
  /** Requests in batches. */
  readonly batchRequests: number
  /** Replies whose cost is not in `cost`: no token counts, or a model without a price. */
  readonly repliesWithUnknownCost: number
  /** Number of replies by model. */
  readonly repliesByModel: ReadonlyMap<string, number>
  /** Requests whose reply was lost in transit; they may be billed. */
  readonly lostReplies: number
  /** Latency of live requests with a reply, from sending the request to the last byte. */
  readonly latency: Percentiles | undefined
  /** Latency of streamed replies, from sending the request to the first piece of text. */
  readonly timeToFirstToken: Percentiles | undefined
  readonly wallMs: number
}

interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Collects the statistics of attempts and outcomes as they happen. */
export interface StatsCollector {
  addAttempt(attempt: Attempt): void
  addOutcome(outcome: Outcome): void
  /** Returns the current counts. This is cheap enough to call ten times per second. */
  getProgress(): Pick<
    RunStats,
    'documents' | 'transientFailures' | 'deferred' | 'inBatch' | 'cost' | 'requests' | 'usage'
  >
  getStats(wallMs: number): RunStats
}

/**
 * Creates a collector of the statistics of one run.
 * @param skipped documents that were skipped before the run, by reason
 */
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
  let reused = 0
  let [requests, batchRequests, transientFailures, deferred, inBatch, repliesWithUnknownCost, lostReplies] = [
    0, 0, 0, 0, 0, 0, 0,
  ]

  const getProgress = () => ({
    documents: { ...documents },
    transientFailures,
    deferred,
    inBatch,
    cost,
    requests,
    usage,
  })

  return {
    addAttempt(attempt) {
      requests++
      if (attempt.batchId !== undefined) batchRequests++
      // Chunks of one document are sent in parallel, so there may be several first attempts for the same
      // path.
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
        for (const issue of outcome.qualityIssues ?? [])
          countDocument(flaggedByIssue, issue, outcome.document.path)
      if (outcome.status === 'failed' && outcome.failure.transient) transientFailures++
      if (outcome.status === 'pending' && outcome.deferred) deferred++
      if (outcome.status === 'pending' && outcome.inBatch) inBatch++
      if (outcome.status === 'summarized' && outcome.reusedFrom !== undefined) reused++
    },
    getProgress,
    getStats: (wallMs) => ({
      ...getProgress(),
      skippedByReason,
      flaggedByIssue,
      reused,
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
