import { addTotals, emptyTotals, type Totals, toTotals } from '../../core/pricing/totals.ts'
import type { DocumentEntry, RunStart } from '../../core/run/ledger-entry.ts'
import {
  applyUnchanged,
  createPathRebaser,
  isSummarized,
  type KnownSummary,
  readLedgerEntries,
  resolveWorkingDirectory,
  toKnownSummary,
} from './read-ledger.ts'

/** All that a ledger tells, for a report. */
export interface LedgerHistory {
  /** In order; what stands before the first is `undefined`'s. */
  readonly runs: readonly { readonly start: RunStart | undefined; readonly totals: Totals }[]
  /** The latest good summary of each document, by its path, in the order they were made. */
  readonly summaries: ReadonlyMap<string, KnownSummary>
  /** Documents whose last attempt failed, with its line. */
  readonly failures: ReadonlyMap<string, DocumentEntry>
  readonly damagedLines: number
}

/**
 * @param cwdFromOut the working directory, as seen from the output folder: all paths are given as seen from it
 * @throws RunError `usage` where a newer version of this program wrote it, or `ioError`
 */
export async function readLedgerHistory(file: string, cwdFromOut: string): Promise<LedgerHistory> {
  const rebase = createPathRebaser(file, cwdFromOut)
  const cwd = resolveWorkingDirectory(file, cwdFromOut)
  const runs: { start: RunStart | undefined; totals: Totals }[] = []
  const summaries = new Map<string, KnownSummary>()
  const failures = new Map<string, DocumentEntry>()
  let damagedLines = 0
  const add = (totals: Totals) => {
    const current = runs.at(-1)
    if (current === undefined) runs.push({ start: undefined, totals })
    else current.totals = addTotals(current.totals, totals)
  }
  for await (const entries of readLedgerEntries(file)) {
    for (const entry of entries) {
      if ('damaged' in entry) damagedLines++
      else if ('run' in entry) runs.push({ start: entry, totals: emptyTotals })
      else if ('dropped' in entry) add(entry.dropped)
      else if ('path' in entry) {
        const run = runs.at(-1)?.start
        const path = rebase(run, entry.path)
        failures.delete(path)
        if (entry.status === 'pruned') summaries.delete(path)
        if (entry.status === 'unchanged') applyUnchanged(summaries, path, entry)
        if (entry.status === 'unchanged' || entry.status === 'pruned') continue
        add(toTotals(entry))
        if (isSummarized(entry)) {
          summaries.delete(path)
          summaries.set(path, toKnownSummary(entry, path, cwd, run))
        } else if (entry.status === 'failed') failures.set(path, entry)
      }
    }
  }
  return { runs, summaries, failures, damagedLines }
}
