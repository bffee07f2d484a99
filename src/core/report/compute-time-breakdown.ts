import { toKnownMs } from './known-ms.ts'
import type { RecordedRun } from './recorded-run.ts'
import type { TimeBreakdown } from './report-json.ts'

/** Sums up what the live documents of runs spent their time on: milliseconds. */
export function computeTimeBreakdown(runs: readonly RecordedRun[]): TimeBreakdown {
  const sums = { queued_ms: 0, throttled_ms: 0, retries_ms: 0, api_ms: 0 }
  for (const { start, entries } of runs) {
    const startedAt = Date.parse(start.started_at)
    for (const { ended_at, elapsed_ms, wait_ms, retry_ms, latency_ms, batch_id } of entries) {
      // The time of a document in a batch is that of the whole batch.
      if (batch_id !== undefined) continue
      sums.queued_ms += Math.max(0, Date.parse(ended_at) - (toKnownMs(elapsed_ms) ?? 0) - startedAt)
      sums.throttled_ms += toKnownMs(wait_ms) ?? 0
      sums.retries_ms += toKnownMs(retry_ms) ?? 0
      sums.api_ms += toKnownMs(latency_ms) ?? 0
    }
  }
  return sums
}
