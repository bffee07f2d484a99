import { formatExactUsd } from '../pricing/pricing-rules.ts'
import type { Totals } from '../pricing/totals.ts'
import { sumInputTokens } from '../pricing/usage.ts'
import type { ReportSums } from './report-json.ts'

/** Converts totals to the sums of a report. */
export function toReportSums({
  summarized,
  failed,
  pending,
  usage,
  cost_picodollars,
  documents_with_unknown_cost,
}: Totals): ReportSums {
  return {
    summarized,
    failed,
    pending,
    input_tokens: sumInputTokens(usage),
    output_tokens: usage.output_tokens,
    cost_usd:
      documents_with_unknown_cost > 0 && cost_picodollars === '0'
        ? null
        : Number(formatExactUsd(BigInt(cost_picodollars))),
    documents_with_unknown_cost,
  }
}
