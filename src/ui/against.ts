import type { Bounds } from '../core/estimate.ts'
import type { EstimateFile } from '../core/estimate-file.ts'
import { dollars, picodollars } from '../core/price.ts'
import type { ReportFile } from '../core/report-file.ts'
import { textTable } from './table.ts'

/** What was estimated beside what happened, as a table for a person. */
export function againstText(
  { made, documents, tokens_in, tokens_out, cost_usd }: EstimateFile,
  { totals, runs, simulated }: ReportFile,
): string {
  const count = (value: number) => Math.round(value).toLocaleString('en-US')
  const usd = (value: number) => dollars(picodollars(value))
  const done = totals.summarized + totals.failed
  const cost = totals.unknown_cost === 0 ? totals.cost_usd : null
  const rows = [
    ['', 'estimated', 'happened', 'off by', ''],
    ['documents', count(documents.to_do), count(done), '', done < documents.to_do ? 'not all done yet' : ''],
    rowOf('tokens in', tokens_in, totals.tokens_in, count),
    rowOf('tokens out', tokens_out, totals.tokens_out, count),
    rowOf('cost', cost_usd.live, cost, usd),
  ]
  const since = `${made.slice(0, 16).replace('T', ' ')} UTC`
  const what = `${runs.length === 1 ? '1 run' : `${runs.length} runs`} since ${since}${simulated ? ', simulated' : ''}`
  return `${textTable(rows)}${what}\n`
}

function rowOf(
  name: string,
  estimated: Bounds | null,
  happened: number | null,
  format: (value: number) => string,
): string[] {
  const shown = happened === null ? 'unknown' : format(happened)
  if (estimated === null) return [name, 'unknown', shown, '', '']
  const { low, expected, high } = estimated
  const range = `${format(expected)} (${format(low)} to ${format(high)})`
  if (happened === null || expected === 0) return [name, range, shown, '', '']
  const off = `${happened >= expected ? '+' : '−'}${Math.abs((happened / expected - 1) * 100).toFixed(1)} %`
  const outside =
    happened < low ? 'below what was expected' : happened > high ? 'above what was expected' : ''
  return [name, range, shown, off, outside]
}
