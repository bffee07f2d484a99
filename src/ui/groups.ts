import type { Group } from '../core/report/report-json.ts'
import { whole } from '../core/text/format-number.ts'
import { costWords } from './report-words.ts'
import { textTable } from './table.ts'

/** Sums by something, as a table for a person. */
export function groupsText(what: string, groups: readonly Group[]): string {
  const rows = groups.map((group) => [
    group.name,
    ...[group.summarized, group.failed, group.tokens_in, group.tokens_out].map(whole),
    costWords(group),
  ])
  return textTable([[what, 'done', 'failed', 'tokens in', 'out', 'cost'], ...rows], 1)
}
