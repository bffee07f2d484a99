import type { ReportJson } from '../core/report/report-json.ts'
import { formatCount, formatMs } from './report-format.ts'

/** A part of the time of all documents. */
interface TimeShare {
  readonly name: string
  readonly value: number
  /** Of all of it, in words. */
  readonly share: string
  /** The mean of a document, in words. */
  readonly each: string
}

/** Where the time of documents went; nothing where it is not known. */
export function computeTimeShares(report: Timed): TimeShare[] {
  const { queued_ms: slot, throttled_ms: limit, retries_ms: retries, api_ms: service } = report.time
  const total = slot + limit + retries + service
  if (total === 0) return []
  const toShare = (name: string, value: number) => ({
    name,
    value,
    share: formatPercent(value / total),
    each: formatMean(value, report),
  })
  return [
    toShare('waiting for a free slot', slot),
    toShare('reading, and waiting for the limit', limit),
    toShare('in retries', retries),
    toShare('at the service', service),
  ]
}

/** How much time of documents there is in all. */
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

/** Over many runs, a document may come several times. */
function countDocuments({ documents, totals }: Timed): number {
  return Math.max(documents.length, totals.summarized + totals.failed + totals.pending)
}

function formatPercent(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`
}
