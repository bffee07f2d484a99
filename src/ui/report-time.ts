import type { ReportFile } from '../core/report/report-json.ts'
import { counted, ms } from './report-words.ts'

/** A part of the time of all documents. */
interface TimePart {
  readonly name: string
  readonly value: number
  /** Of all of it, in words. */
  readonly share: string
  /** The mean of a document, in words. */
  readonly each: string
}

/** Where the time of documents went; nothing where it is not known. */
export function timeParts(report: Timed): TimePart[] {
  const { slot_ms: slot, limit_ms: limit, retries_ms: retries, service_ms: service } = report.time
  const all = slot + limit + retries + service
  if (all === 0) return []
  const part = (name: string, value: number) => ({
    name,
    value,
    share: percent(value / all),
    each: each(value, report),
  })
  return [
    part('waiting for a free slot', slot),
    part('reading, and waiting for the limit', limit),
    part('in retries', retries),
    part('at the service', service),
  ]
}

/** How much time of documents there is in all. */
export function timeWords(report: Timed): string {
  const all = timeParts(report).reduce((sum, { value }) => sum + value, 0)
  const count = sent(report)
  return count === 1 ? ms(all) : `${each(all, report)}, over ${counted(count, 'document')}`
}

type Timed = Pick<ReportFile, 'time' | 'documents' | 'totals'>

function each(value: number, report: Timed): string {
  const count = sent(report)
  return `${ms(Math.round(value / count))}${count === 1 ? '' : ' each'}`
}

/** Over many runs, a document may come several times. */
function sent({ documents, totals }: Timed): number {
  return Math.max(documents.length, totals.summarized + totals.failed + totals.pending)
}

function percent(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`
}
