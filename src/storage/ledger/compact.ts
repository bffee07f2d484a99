import { dirname } from 'node:path'
import { type Account, accountOf, addAccounts } from '../../core/pricing/totals.ts'
import {
  type DroppedLine,
  ledgerVersion,
  type RunLine,
  type UnchangedLine,
} from '../../core/run/ledger-entry.ts'
import { writeWhole } from '../fs/atomic-write.ts'
import { syncFolder } from '../fs/output-directories.ts'
import { temporaryNonce } from '../fs/own-file.ts'
import { isMade, pathsSeenFrom, readLedgerLines } from './ledger.ts'
import { keepDamaged } from './pending-entries.ts'

/** What the lines of a ledger leave of each document, by the numbers of the lines. */
interface Latest {
  made?: { readonly line: number; readonly key: string }
  /** What confirmed that one last. */
  refreshed?: UnchangedLine
  /** A failure after that. */
  failing?: number
}

/**
 * Rewrites a ledger without the lines that later ones have taken the place of. What they came to is kept in one line
 * per run, so no sum changes. Lines that do not even tell what they were about are left out too; the old file is then
 * kept too, next to the new. The new file is whole and on the disk before it takes the name of the old.
 * @param here the working directory, as seen from the output folder
 * @throws RunError `io`; the ledger is then as it was
 */
export async function compact(file: string, here: string, illegible = false): Promise<void> {
  const pathOf = pathsSeenFrom(file, here)
  const latest = await latestIn(file, pathOf)
  if (illegible) await keepDamaged(file)
  const lines = liveLines(file, latest, pathOf)
  await writeWhole(dirname(dirname(file)), file, lines, temporaryNonce('ledger'), 0o600)
  await syncFolder(dirname(file))
}

type PathOf = ReturnType<typeof pathsSeenFrom>

async function latestIn(file: string, pathOf: PathOf): Promise<ReadonlyMap<string, Latest>> {
  const latest = new Map<string, Latest>()
  let number = 0
  let run: RunLine | undefined
  for await (const together of readLedgerLines(file)) {
    for (const line of together) {
      number++
      if ('run' in line) run = line
      if (!('path' in line) || 'damaged' in line) continue
      const path = pathOf(run, line.path)
      const { made, refreshed } = latest.get(path) ?? {}
      const before = { ...(made && { made }), ...(refreshed && { refreshed }) }
      if (line.status === 'unchanged') {
        latest.set(path, made?.key === line.key ? { made, refreshed: line } : before)
      } else if (line.status === 'pruned') latest.delete(path)
      else if (isMade(line)) latest.set(path, { made: { line: number, key: line.key } })
      else latest.set(path, { ...before, failing: number })
    }
  }
  return latest
}

async function* liveLines(
  file: string,
  latest: ReadonlyMap<string, Latest>,
  pathOf: PathOf,
): AsyncGenerator<string> {
  let number = 0
  let run: RunLine | undefined
  let sum: DroppedLine | undefined
  const drop = (account: Account, time: string) => {
    const dropped = sum === undefined ? account : addAccounts(sum.dropped, account)
    // Before the first run only the lines themselves tell the time.
    sum = { v: ledgerVersion, time: run?.time ?? sum?.time ?? time, dropped }
  }
  const endOfRun = () => {
    const text = sum === undefined ? '' : `${JSON.stringify(sum)}\n`
    sum = undefined
    return text
  }
  for await (const together of readLedgerLines(file)) {
    let text = ''
    for (const line of together) {
      number++
      if ('damaged' in line) {
        if (line.path !== undefined && latest.get(pathOf(run, line.path))?.made === undefined)
          text += `${line.damaged}\n`
        continue
      }
      if ('dropped' in line) drop(line.dropped, line.time)
      else if ('run' in line) {
        text += `${endOfRun()}${JSON.stringify(line)}\n`
        run = line
      } else if ('ended' in line) text += `${JSON.stringify(line)}\n`
      else if (line.status !== 'unchanged' && line.status !== 'pruned') {
        const { made, failing, refreshed } = latest.get(pathOf(run, line.path)) ?? {}
        if (number === made?.line) text += `${JSON.stringify({ ...line, ...statsOf(refreshed) })}\n`
        else if (number === failing) text += `${JSON.stringify(line)}\n`
        else drop(accountOf(line), line.time)
      }
    }
    yield text
  }
  yield endOfRun()
}

/** A `mtime` that is undefined takes the old one away: JSON leaves it out. */
function statsOf(refreshed: UnchangedLine | undefined) {
  if (refreshed === undefined) return {}
  const { size, mtime, recipe } = refreshed
  return { size, mtime, recipe }
}
