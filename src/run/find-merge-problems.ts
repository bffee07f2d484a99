import type { ShardFolder } from '../core/document/shard-coverage.ts'
import { findShardProblems } from '../core/document/shard-coverage.ts'
import { pluralize } from '../core/text/format-number.ts'
import { quoteShellWord } from '../core/text/quote-shell-word.ts'
import type { FolderHistory } from '../storage/merge/folder-history.ts'
import type { UnfinishedWork } from '../storage/merge/unfinished-work.ts'

/** A folder of a merge, with all that shows whether it is complete. */
export interface InspectedFolder {
  readonly history: FolderHistory
  /** A run that is killed early leaves none. */
  readonly hasLedger: boolean
  readonly work: UnfinishedWork
  readonly shard: ShardFolder['shard'] | undefined
  /** Whether a killed run had left its lock. */
  readonly wasKilled: boolean
}

/**
 * Returns why a merge is not complete, in whole sentences: shards that are missing or named twice, runs that have not
 * finished, and what stays in its folder.
 */
export function findMergeProblems(folders: readonly InspectedFolder[]): string[] {
  const shards = folders.flatMap(({ history: { name }, shard }) => (shard ? [{ name, shard }] : []))
  return [...findShardProblems(shards), ...folders.flatMap(describeFolder)]
}

function describeFolder(folder: InspectedFolder): string[] {
  const { history, work } = folder
  const { name, damagedLines } = history
  const again = `in ${name}, then merge again`
  const state = folder.hasLedger ? folder.shard && describeLastRun(folder) : 'it has no results yet'
  return [
    ...(state === undefined ? [] : [`${name} is incomplete: ${state}; run summarize ${again}`]),
    ...(work.journaledCount > 0 || work.hasChunkCosts
      ? [`${name}: an interrupted run left ${describeLeftovers(work)}; run summarize ${again}`]
      : []),
    ...(work.batchCount > 0
      ? [
          `${name}: ${pluralize(work.batchCount, 'batch is', 'batches are')} not collected; run claude-batch batches collect ${quoteShellWord(name)}, then merge again`,
        ]
      : []),
    ...(work.recoveredCount > 0
      ? [
          `${name}: ${pluralize(work.recoveredCount, 'recovered text stays', 'recovered texts stay')} in .claude-batch/recovered; move or delete them`,
        ]
      : []),
    ...(damagedLines > 0
      ? [
          `${name}: ${pluralize(damagedLines, 'line')} of the ledger cannot be read; they were copied as they are`,
        ]
      : []),
  ]
}

/** Returns what an interrupted run left behind, for messages. */
export function describeLeftovers({ journaledCount, hasChunkCosts }: UnfinishedWork): string {
  const parts = [
    ...(journaledCount > 0 ? [pluralize(journaledCount, 'result')] : []),
    ...(hasChunkCosts ? ['costs of chunks'] : []),
  ]
  return `${parts.join(' and ')} outside the ledger`
}

/** Returns why the last run of a shard did not finish; undefined if it did. */
function describeLastRun({ history, wasKilled }: InspectedFolder): string | undefined {
  const { lastRun, lastEnd } = history
  if (wasKilled || lastRun?.run_id !== lastEnd?.run_id) return 'its last run was killed'
  if (lastEnd?.stop_reason !== undefined) return `its last run was stopped (${lastEnd.stop_reason})`
  const pending = lastEnd?.documents.pending ?? 0
  return pending > 0 ? `${pluralize(pending, 'document is', 'documents are')} pending` : undefined
}
