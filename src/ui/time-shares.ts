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

/**
 * Returns how the time of documents is divided, from the start of a document to its summary; empty if it is
 * unknown. The time before is not a part: in every run, most documents wait until it is their turn.
 */
export function computeTimeShares(report: Timed): TimeShare[] {
  const { throttled_ms: throttled, retries_ms: retries, api_ms: api } = report.time
  const total = throttled + retries + api
  if (total === 0) return []
  const toShare = (name: string, value: number) => ({
    name,
    value,
    share: formatPercent(value / total),
    each: formatMean(value, report),
  })
  return [
    toShare('reading, and waiting for rate limits', throttled),
    toShare('failed attempts and waits before retries', retries),
    toShare('API latency (waiting for the answer)', api),
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

/** Returns a sentence about the time before documents started; undefined if they did not wait. */
export function describeTurnWait({ runs, ...report }: Timed & Pick<ReportJson, 'runs'>): string | undefined {
  const { queued_ms: queued } = report.time
  const [run] = runs
  const most = runs.length === 1 ? (run?.max_in_flight ?? null) : null
  if (queued < 1000 || countDocuments(report) < 2) return undefined
  const limit =
    most === null ? '' : `, because up to ${formatCount(most, 'request')} were in flight at a time`
  return `Before that, a document waited ${formatMs(Math.round(queued / countDocuments(report)))} on average for its turn${limit}.`
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
