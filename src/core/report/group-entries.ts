import { addTotals, emptyTotals, type Totals, toTotals } from '../pricing/totals.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'
import type { ReportGroup } from './report-json.ts'
import { toReportSums } from './report-sums.ts'

/** Returns the totals of entries grouped by name, the most expensive group first. */
export function groupEntries(
  entries: readonly DocumentEntry[],
  nameOf: (entry: DocumentEntry) => string,
): ReportGroup[] {
  const totalsByName = new Map<string, Totals>()
  for (const entry of entries) {
    const name = nameOf(entry)
    totalsByName.set(name, addTotals(totalsByName.get(name) ?? emptyTotals, toTotals(entry)))
  }
  return [...totalsByName]
    .map(([name, totals]) => ({ name, ...toReportSums(totals) }))
    .sort(
      (a, b) =>
        (b.cost_usd ?? 0) - (a.cost_usd ?? 0) ||
        b.input_tokens - a.input_tokens ||
        (a.name < b.name ? -1 : 1),
    )
}
