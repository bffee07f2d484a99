import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { pluralize } from '../core/text/format-number.ts'
import type { UnplacedText } from '../storage/ledger/journal-recovery.ts'
import type { OutputState } from '../storage/output-state.ts'

/** What claude-batch found and did when it opened an output folder. */
type RecoveryResult = Pick<
  OutputState,
  'damaged' | 'damagedJournalLines' | 'unplacedTexts' | 'recoveredCount'
>

/** Returns what the user must know about an output folder after a crash or damage, one message per line to print. */
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

/** Returns a note about summaries that claude-batch put in place for an interrupted run; undefined if there are none. */
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
  return `${pluralize(lines, 'line')} of the journal cannot be read; it may contain a reply that was paid for: see ${backup}`
}

function formatConflict({ intendedPath: place, savedPath: kept }: UnplacedText, out: string): string {
  return `${join(out, place)} exists and is not what an earlier run wrote, so it was not replaced; the reply that an interrupted run had paid for is in ${join(out, kept)}: choose between the two`
}
