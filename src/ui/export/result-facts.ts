import { sumInputTokens } from '../../core/pricing/usage.ts'
import type { ExportedResult } from '../../core/report/exported-result.ts'
import { readCompleteCost } from '../../core/run/complete-cost.ts'
import { pluralize } from '../../core/text/format-number.ts'
import { describeCode } from '../describe-code.ts'
import { formatCost, formatCount, formatTimestamp } from '../report-format.ts'

/** Returns the facts about a result that stand above its text. They are from the ledger: not escaped. */
export function listResultFacts({ entry, isEdited, isSimulated }: ExportedResult): string[] {
  const { usage, cost_usd } = readCompleteCost(entry)
  const cost = formatCost({ cost_usd, documents_with_unknown_cost: 0, simulated: isSimulated })
  return [
    entry.status === 'summarized' ? entry.model : `${entry.status}: ${entry.model}`,
    entry.prompt,
    formatTimestamp(entry.ended_at),
    ...(usage === null
      ? []
      : [`${formatCount(sumInputTokens(usage))} tokens in, ${formatCount(usage.output_tokens)} out`]),
    cost_usd === null ? 'cost unknown' : cost,
    ...(entry.quality_issues ?? []).map((issue) => `flagged: ${describeCode(issue, 1)}`),
    ...(isEdited ? ['edited by hand'] : []),
  ]
}

/** Returns the title of an export. */
export function formatExportTitle(count: number, areSummaries: boolean): string {
  return areSummaries ? pluralize(count, 'summary', 'summaries') : pluralize(count, 'result')
}

/** What a page shows in place of a summary whose file cannot be read. */
export const missingText = 'The file of this summary is missing or cannot be read.'

/** What an export as a page says about itself. */
export interface ExportHeader {
  /** The paths of the results, in order. */
  readonly paths: readonly string[]
  /** Whether all results are summaries. */
  readonly areSummaries: boolean
  /** The output folder as the user named it. */
  readonly folder: string
  readonly programVersion: string
  /** When the export was made: ISO 8601. */
  readonly createdAt: string
}
