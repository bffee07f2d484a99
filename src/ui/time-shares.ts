import type { ReportJson } from '../core/report/report-json.ts'
import { formatCount, formatMs } from './report-format.ts'

/** One part of the time that documents took. */
interface TimeShare {
  readonly name: string
  readonly value: number
  /** Its percentage of the total, formatted. */
  readonly share: string
  /** The mean per document, formatted. */
  readonly each: string
}

/** Returns how the time of documents is divided; empty if it is unknown. */
export function computeTimeShares(report: Timed): TimeShare[] {
  const { queued_ms: queued, throttled_ms: throttled, retries_ms: retries, api_ms: api } = report.time
  const total = queued + throttled + retries + api
  if (total === 0) return []
  const toShare = (name: string, value: number) => ({
    name,
    value,
    share: formatPercent(value / total),
    each: formatMean(value, report),
  })
  return [
    toShare('waiting for the concurrency limit', queued),
    toShare('reading, and waiting for rate limits', throttled),
    toShare('in retries', retries),
    toShare('API latency', api),
  ]
}

/** Returns the time of all documents, or the mean if there are several. */
export function formatTotalTime(report: Timed): string {
  const total = computeTimeShares(report).reduce((sum, { value }) => sum + value, 0)
  const count = countDocuments(report)
  return count === 1
    ? formatMs(total)
    : `${formatMean(total, report)}, over ${formatCount(count, 'document')}`
}

type Timed = Pick<ReportJson, 'time' | 'documents' | 'totals'>

function formatMean(value: number, report: Timed): string {
  const count = countDocuments(report)
  return `${formatMs(Math.round(value / count))}${count === 1 ? '' : ' each'}`
}

/** Counts documents; a document that occurs in several runs counts once per run. */
function countDocuments({ documents, totals }: Timed): number {
  return Math.max(documents.length, totals.summarized + totals.failed + totals.pending)
}

function formatPercent(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`
}
