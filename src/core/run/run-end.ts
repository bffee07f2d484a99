import { boundBy } from '../rate-limit/bottleneck.ts'
import { limitNames, type PaceAccount } from '../rate-limit/limiter-state.ts'
import { type EndLine, ledgerVersion } from './ledger-entry.ts'
import type { Report } from './run-stats.ts'

/**
 * What is recorded at the end of a run.
 * @param run its id
 * @param stopped why it ended before everything was done, if it did
 */
export function endLineOf(
  run: string,
  time: string,
  report: Report,
  pace: PaceAccount,
  stopped: string | undefined,
): EndLine {
  const { documents, skippedBy, requests, retriesBy, wallMs } = report
  const limits = limitNames.flatMap((name) => {
    const known = [pace.given[name], pace.seen[name]].filter((limit) => limit !== undefined)
    return known.length === 0 ? [] : [[name, Math.min(...known)] as const]
  })
  return {
    v: ledgerVersion,
    time,
    ended: run,
    ...(stopped !== undefined && { stopped }),
    wall_ms: Math.round(wallMs),
    documents,
    skipped: Object.fromEntries([...skippedBy].map(([type, { count }]) => [type, count])),
    requests,
    retries: Object.fromEntries(retriesBy),
    most_in_flight: pace.mostInFlight,
    limits: Object.fromEntries(limits),
    ...(requests > 1 && { bound_by: boundBy(report, pace) }),
  }
}
