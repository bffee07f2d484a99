import { createWriteStream } from 'node:fs'
import { copyFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Account, accountOf, addAccounts } from '../core/account.ts'
import { type DroppedLine, ledgerVersion, type RunLine, type UnchangedLine } from '../core/ledger-line.ts'
import { syncFolder } from './directories.ts'
import { cannotWrite } from './disk-error.ts'
import { isMade, pathsSeenFrom, readLedgerLines } from './ledger.ts'

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
 * kept beside the new. The new file is whole and on the disk before it takes the name of the old.
 * @param here the working directory, as seen from the output folder
 * @throws RunError `io`; the ledger is then as it was
 */
export async function compact(file: string, here: string, illegible = false): Promise<void> {
  const pathOf = pathsSeenFrom(file, here)
  const latest = await latestIn(file, pathOf)
  const fresh = `${file}.new`
  try {
    await pipeline(
      Readable.from(liveLines(file, latest, pathOf)),
      createWriteStream(fresh, { flags: 'w', mode: 0o600, flush: true }),
    )
    if (illegible) await copyFile(file, `${file}.damaged`)
    await rename(fresh, file)
    await syncFolder(dirname(file))
  } catch (error) {
    throw error instanceof Error && 'code' in error
      ? cannotWrite(file, error as NodeJS.ErrnoException)
      : error
  }
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
  let dropped: Account | undefined
  const drop = (account: Account) => {
    dropped = dropped === undefined ? account : addAccounts(dropped, account)
  }
  const endOfRun = () => {
    const line: DroppedLine | undefined = dropped && { v: ledgerVersion, time: run?.time ?? '', dropped }
    dropped = undefined
    return line === undefined ? '' : `${JSON.stringify(line)}\n`
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
      if ('dropped' in line) drop(line.dropped)
      else if ('run' in line) {
        text += `${endOfRun()}${JSON.stringify(line)}\n`
        run = line
      } else if ('ended' in line) text += `${JSON.stringify(line)}\n`
      else if (line.status !== 'unchanged' && line.status !== 'pruned') {
        const { made, failing, refreshed } = latest.get(pathOf(run, line.path)) ?? {}
        if (number === made?.line) text += `${JSON.stringify({ ...line, ...statsOf(refreshed) })}\n`
        else if (number === failing) text += `${JSON.stringify(line)}\n`
        else drop(accountOf(line))
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
