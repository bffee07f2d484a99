import { type ExtensionCounts, toExtensionRecord } from '../document/extension-counts.ts'
import { describeBottleneck } from '../rate-limit/describe-bottleneck.ts'
import { toLimitFields } from '../rate-limit/limit-fields.ts'
import { limitNames, type RateLimiterStats } from '../rate-limit/limiter-state.ts'
import { ledgerFormatVersion, type RunEnd } from './ledger-entry.ts'
import type { RunStats } from './run-stats.ts'

/**
 * Returns the ledger entry for the end of a run.
 * @param endedAt ISO 8601
 * @param stopReason why the run ended before everything was done, if it did
 * @param notRead files that were not read because of their extension; undefined if no folder was searched
 */
export function createRunEnd(
  runId: string,
  endedAt: string,
  stats: RunStats,
  limiterStats: RateLimiterStats,
  stopReason: string | undefined,
  notRead: ExtensionCounts | undefined,
): RunEnd {
  const { documents, skippedByReason, requests, retriesByCause, wallMs } = stats
  const bottleneck = describeBottleneck(stats, limiterStats)
  const limits = limitNames.flatMap((name) => {
    const known = [limiterStats.configured[name], limiterStats.observed[name]].filter(
      (limit) => limit !== undefined,
    )
    return known.length === 0 ? [] : [[name, Math.min(...known)] as const]
  })
  return {
    type: 'run_end',
    format_version: ledgerFormatVersion,
    ended_at: endedAt,
    run_id: runId,
    ...(stopReason !== undefined && { stop_reason: stopReason }),
    duration_ms: Math.round(wallMs),
    documents,
    skipped_by_reason: Object.fromEntries([...skippedByReason].map(([type, { count }]) => [type, count])),
    ...(notRead !== undefined && { not_read_by_extension: toExtensionRecord(notRead) }),
    requests,
    retries_by_cause: Object.fromEntries(retriesByCause),
    max_in_flight: limiterStats.maxInFlight,
    limits: toLimitFields(Object.fromEntries(limits)),
    ...(bottleneck !== undefined && { limited_by: bottleneck }),
  }
}
