import type { EstimateRange } from '../core/estimate/estimate-cost.ts'
import type { EstimateJson } from '../core/estimate/estimate-json.ts'
import { isSameModel } from '../core/pricing/models.ts'
import { formatUsd, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import type { ReportJson } from '../core/report/report-json.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatInteger } from '../core/text/format-number.ts'
import { formatTable } from './text-table.ts'

/** Returns a table that compares an estimate with what the runs since then used. */
export function formatEstimateVsActual(
  { created_at, prompt, model, documents, input_tokens, output_tokens, cost_usd }: EstimateJson,
  { totals, groups, runs, simulated }: ReportJson,
): string {
  const formatCost = (value: number) => formatUsd(usdToPicodollars(value))
  const done = totals.summarized + totals.failed
  const cost = totals.documents_with_unknown_cost === 0 ? totals.cost_usd : null
  const rows = [
    ['', 'estimated', 'actual', 'difference', ''],
    [
      'documents',
      formatInteger(documents.pending),
      formatInteger(done),
      '',
      describeDocumentGap(done, documents.pending),
    ],
    buildRow('tokens in', input_tokens, totals.input_tokens, formatInteger),
    buildRow('tokens out', output_tokens, totals.output_tokens, formatInteger),
    buildRow('cost', cost_usd.live, cost, formatCost),
  ]
  const since = `${created_at.slice(0, 16).replace('T', ' ')} UTC`
  const runsLabel = `${runs.length === 1 ? '1 run' : `${runs.length} runs`} since ${since}${simulated ? ', simulated' : ''}`
  const otherNames = [
    ...groups.prompt.filter(({ name }) => !prompt.includes(name)),
    ...groups.model.filter(({ name }) => !isSameModel(name, model)),
  ].map(({ name }) => escapeControlChars(name))
  const mismatchNote =
    otherNames.length === 0
      ? ''
      : `not comparable: the estimate is for ${prompt} with ${model}, the runs also used ${otherNames.join(', ')}\n`
  return `${formatTable(rows)}${runsLabel}\n${mismatchNote}`
}

function describeDocumentGap(done: number, expected: number): string {
  return done < expected ? 'some are still pending' : done > expected ? 'more than estimated' : ''
}

function buildRow(
  name: string,
  estimated: EstimateRange | null,
  actual: number | null,
  format: (value: number) => string,
): string[] {
  const actualText = actual === null ? 'unknown' : format(actual)
  if (estimated === null) return [name, 'unknown', actualText, '', '']
  const { low, expected, high } = estimated
  const range = `${format(expected)} (${format(low)} to ${format(high)})`
  if (actual === null || expected === 0) return [name, range, actualText, '', '']
  const difference = `${actual >= expected ? '+' : '−'}${Math.abs((actual / expected - 1) * 100).toFixed(1)} %`
  const rangeNote =
    actual < low ? 'below the estimated range' : actual > high ? 'above the estimated range' : ''
  return [name, range, actualText, difference, rangeNote]
}
