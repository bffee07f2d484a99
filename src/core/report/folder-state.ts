import { isDigest } from '../run/is-digest.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'
import type { RecordedRun } from './recorded-run.ts'
import type { FolderState } from './report-json.ts'

/**
 * Counts the documents of an output folder by their state after its last run. A digest is not a document.
 * @param runs all runs of the folder, in order
 */
export function computeFolderState(runs: readonly RecordedRun[]): FolderState {
  const statuses = new Map<string, DocumentEntry['status']>()
  for (const { entries, unchanged = [], pruned = [] } of runs) {
    for (const { path, status, prompt } of entries) if (!isDigest(prompt)) statuses.set(path, status)
    for (const path of unchanged) statuses.set(path, 'summarized')
    for (const path of pruned) statuses.delete(path)
  }
  const counts = { summarized: 0, failed: 0, pending: 0 }
  for (const status of statuses.values()) counts[status]++
  return { ...counts, not_reached: countNotReached(runs.at(-1)) }
}

/** Counts the documents that a run left pending without a request. */
function countNotReached(run: RecordedRun | undefined): number {
  const sent = run?.entries.filter(({ status }) => status === 'pending').length ?? 0
  return Math.max(0, (run?.end?.documents.pending ?? 0) - sent)
}
