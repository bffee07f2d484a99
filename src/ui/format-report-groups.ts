import type { ReportGroup } from '../core/report/report-json.ts'
import { formatInteger } from '../core/text/format-number.ts'
import { formatCost } from './report-format.ts'
import { formatTable } from './text-table.ts'

/** Returns totals by group as a table. */
export function formatGroups(heading: string, groups: readonly ReportGroup[]): string {
  const rows = groups.map((group) => [
    group.name,
    ...[group.summarized, group.failed, group.input_tokens, group.output_tokens].map(formatInteger),
    formatCost(group),
  ])
  return formatTable([[heading, 'done', 'failed', 'tokens in', 'out', 'cost'], ...rows], 1)
}
