import { dirname } from 'node:path'
import { addTotals, type Totals, toTotals } from '../../core/pricing/totals.ts'
import {
  type CompactedEntry,
  ledgerFormatVersion,
  type RunStart,
  type UnchangedEntry,
} from '../../core/run/ledger-entry.ts'
import { writeFileAtomic } from '../fs/atomic-write.ts'
import { syncFolder } from '../fs/create-folder.ts'
import { createTempNonce } from '../fs/unshared-file.ts'
import { backUpDamaged } from './read-journal.ts'
import { createPathRebaser, isSummarized, readLedgerEntries } from './read-ledger.ts'

/** What the lines of a ledger leave of each document, by the numbers of the lines. */
interface LatestLines {
  summary?: { readonly line: number; readonly key: string }
  /** What confirmed that one last. */
  confirmation?: UnchangedEntry
  /** A failure after that. */
  failureLine?: number
}

/**
 * Rewrites a ledger without the lines that later ones have taken the place of. What they came to is kept in one line
 * per run, so no sum changes. Lines that do not even tell what they were about are left out too; the old file is then
 * kept too, next to the new. The new file is whole and on the disk before it takes the name of the old.
 * @param cwdFromOut the working directory, as seen from the output folder
 * @throws RunError `ioError`; the ledger is then as it was
 */
export async function compactLedger(file: string, cwdFromOut: string, backUpFirst = false): Promise<void> {
  const rebase = createPathRebaser(file, cwdFromOut)
  const latest = await findLatestLines(file, rebase)
  if (backUpFirst) await backUpDamaged(file)
  const text = generateLiveLines(file, latest, rebase)
  await writeFileAtomic(dirname(dirname(file)), file, text, createTempNonce('ledger'), 0o600)
  await syncFolder(dirname(file))
}

type PathRebaser = ReturnType<typeof createPathRebaser>

async function findLatestLines(file: string, rebase: PathRebaser): Promise<ReadonlyMap<string, LatestLines>> {
  const latest = new Map<string, LatestLines>()
  let lineNumber = 0
  let run: RunStart | undefined
  for await (const entries of readLedgerEntries(file)) {
    for (const entry of entries) {
      lineNumber++
      if ('run' in entry) run = entry
      if (!('path' in entry) || 'damaged' in entry) continue
      const path = rebase(run, entry.path)
      const { summary, confirmation } = latest.get(path) ?? {}
      const previous = { ...(summary && { summary }), ...(confirmation && { confirmation }) }
      if (entry.status === 'unchanged') {
        latest.set(path, summary?.key === entry.key ? { summary, confirmation: entry } : previous)
      } else if (entry.status === 'pruned') latest.delete(path)
      else if (isSummarized(entry)) latest.set(path, { summary: { line: lineNumber, key: entry.key } })
      else latest.set(path, { ...previous, failureLine: lineNumber })
    }
  }
  return latest
}

async function* generateLiveLines(
  file: string,
  latest: ReadonlyMap<string, LatestLines>,
  rebase: PathRebaser,
): AsyncGenerator<string> {
  let lineNumber = 0
  let run: RunStart | undefined
  let droppedEntry: CompactedEntry | undefined
  const addDropped = (account: Totals, time: string) => {
    const dropped = droppedEntry === undefined ? account : addTotals(droppedEntry.dropped, account)
    // Before the first run only the lines themselves tell the time.
    droppedEntry = { v: ledgerFormatVersion, time: run?.time ?? droppedEntry?.time ?? time, dropped }
  }
  const flushDropped = () => {
    const text = droppedEntry === undefined ? '' : `${JSON.stringify(droppedEntry)}\n`
    droppedEntry = undefined
    return text
  }
  for await (const entries of readLedgerEntries(file)) {
    let text = ''
    for (const entry of entries) {
      lineNumber++
      if ('damaged' in entry) {
        if (entry.path !== undefined && latest.get(rebase(run, entry.path))?.summary === undefined)
          text += `${entry.damaged}\n`
        continue
      }
      if ('dropped' in entry) addDropped(entry.dropped, entry.time)
      else if ('run' in entry) {
        text += `${flushDropped()}${JSON.stringify(entry)}\n`
        run = entry
      } else if ('ended' in entry) text += `${JSON.stringify(entry)}\n`
      else if (entry.status !== 'unchanged' && entry.status !== 'pruned') {
        const { summary, failureLine: failing, confirmation } = latest.get(rebase(run, entry.path)) ?? {}
        if (lineNumber === summary?.line)
          text += `${JSON.stringify({ ...entry, ...toConfirmedFields(confirmation) })}\n`
        else if (lineNumber === failing) text += `${JSON.stringify(entry)}\n`
        else addDropped(toTotals(entry), entry.time)
      }
    }
    yield text
  }
  yield flushDropped()
}

/** A `mtime` that is undefined takes the old one away: JSON leaves it out. */
function toConfirmedFields(refreshed: UnchangedEntry | undefined) {
  if (refreshed === undefined) return {}
  const { size, mtime, recipe } = refreshed
  return { size, mtime, recipe }
}
