import type { Bounds } from '../core/estimate/estimate.ts'
import type { EstimateFile } from '../core/estimate/estimate-json.ts'
import { isSameModel } from '../core/pricing/models.ts'
import { dollars, picodollars } from '../core/pricing/price.ts'
import type { ReportFile } from '../core/report/report-json.ts'
import { printable } from '../core/text/escape-control.ts'
import { whole } from '../core/text/format-number.ts'
import { textTable } from './table.ts'

/** What was estimated beside what happened, as a table for a person. */
export function againstText(
  { made, prompt, model, documents, tokens_in, tokens_out, cost_usd }: EstimateFile,
  { totals, by, runs, simulated }: ReportFile,
): string {
  const usd = (value: number) => dollars(picodollars(value))
  const done = totals.summarized + totals.failed
  const cost = totals.unknown_cost === 0 ? totals.cost_usd : null
  const rows = [
    ['', 'estimated', 'happened', 'off by', ''],
    ['documents', whole(documents.to_do), whole(done), '', howMany(done, documents.to_do)],
    rowOf('tokens in', tokens_in, totals.tokens_in, whole),
    rowOf('tokens out', tokens_out, totals.tokens_out, whole),
    rowOf('cost', cost_usd.live, cost, usd),
  ]
  const since = `${made.slice(0, 16).replace('T', ' ')} UTC`
  const what = `${runs.length === 1 ? '1 run' : `${runs.length} runs`} since ${since}${simulated ? ', simulated' : ''}`
  const others = [
    ...by.prompt.filter(({ name }) => !prompt.includes(name)),
    ...by.model.filter(({ name }) => !isSameModel(name, model)),
  ].map(({ name }) => printable(name))
  const unlike =
    others.length === 0
      ? ''
      : `not like with like: ${prompt} with ${model} was estimated, ${others.join(', ')} done\n`
  return `${textTable(rows)}${what}\n${unlike}`
}

function howMany(done: number, expected: number): string {
  return done < expected ? 'not all done yet' : done > expected ? 'more than were estimated' : ''
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
