import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { pluralize } from '../core/text/format-number.ts'
import type { UnplacedText } from '../storage/ledger/journal-recovery.ts'
import type { OutputState } from '../storage/output-state.ts'

/** Damage and recovered results that claude-batch found when it opened an output folder. */
type RecoveryResult = Pick<
  OutputState,
  'damaged' | 'damagedJournalLines' | 'unplacedTexts' | 'recoveredCount'
>

/** Returns the warnings about an output folder after a crash or damage, one message each. */
export function formatRecoveryWarnings(
  { damaged, damagedJournalLines, unplacedTexts }: Omit<RecoveryResult, 'recoveredCount'>,
  out: string,
): string[] {
  return [
    ...(damaged.count > 0 ? [formatLedgerDamage(damaged)] : []),
    ...(damagedJournalLines > 0 ? [formatJournalDamage(damagedJournalLines, out)] : []),
    ...unplacedTexts.map((text) => escapeControlChars(formatConflict(text, out))),
  ]
}

/** Returns a note about summaries recovered from an interrupted run; undefined if there are none. */
export function formatRecoveredNote({
  recoveredCount: count,
}: Pick<RecoveryResult, 'recoveredCount'>): string | undefined {
  if (count === 0) return undefined
  return `${pluralize(count, 'summary', 'summaries')} paid for by an interrupted run ${count === 1 ? 'is' : 'are'} now in place`
}

function formatLedgerDamage({ count: lines, paths }: OutputState['damaged']): string {
  const [firstPath] = paths
  const pathCount = paths.size < lines ? `${paths.size} about ` : ''
  const more = paths.size > 1 ? ` and ${paths.size - 1} more` : ''
  const details = firstPath === undefined ? '' : ` (${pathCount}${escapeControlChars(firstPath)}${more})`
  return `${pluralize(lines, 'line')} of the ledger cannot be read${details} and ${lines === 1 ? 'is' : 'are'} ignored`
}

function formatJournalDamage(lines: number, out: string): string {
  const backup = join(out, stateFolder, 'journal.jsonl.damaged')
  return `${pluralize(lines, 'line')} of the journal cannot be read and may contain replies that you have paid for; see ${backup}`
}

function formatConflict({ intendedPath, savedPath }: UnplacedText, out: string): string {
  return `${join(out, intendedPath)} was edited by hand or not written by claude-batch, so it was not replaced; the reply that an interrupted run paid for is in ${join(out, savedPath)}; keep one of the two`
}
