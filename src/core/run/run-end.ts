import { describeBottleneck } from '../rate-limit/describe-bottleneck.ts'
import { limitNames, type RateLimiterStats } from '../rate-limit/limiter-state.ts'
import { ledgerFormatVersion, type RunEnd } from './ledger-entry.ts'
import type { RunStats } from './run-stats.ts'

/**
 * What is recorded at the end of a run.
 * @param runId its id
 * @param stopped why it ended before everything was done, if it did
 */
export function createRunEnd(
  runId: string,
  time: string,
  stats: RunStats,
  limiterStats: RateLimiterStats,
  stopped: string | undefined,
): RunEnd {
  const { documents, skippedByReason, requests, retriesByCause, wallMs } = stats
  const limits = limitNames.flatMap((name) => {
    const known = [limiterStats.configured[name], limiterStats.observed[name]].filter(
      (limit) => limit !== undefined,
    )
    return known.length === 0 ? [] : [[name, Math.min(...known)] as const]
  })
  return {
    v: ledgerFormatVersion,
    time,
    ended: runId,
    ...(stopped !== undefined && { stopped }),
    wall_ms: Math.round(wallMs),
    documents,
    skipped: Object.fromEntries([...skippedByReason].map(([type, { count }]) => [type, count])),
    requests,
    retries: Object.fromEntries(retriesByCause),
    most_in_flight: limiterStats.maxInFlight,
    limits: Object.fromEntries(limits),
    ...(requests > 1 && { bound_by: describeBottleneck(stats, limiterStats) }),
  }
}
