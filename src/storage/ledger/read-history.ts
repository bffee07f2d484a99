import { type Account, accountOf, addAccounts, emptyAccount } from '../../core/pricing/totals.ts'
import type { DocumentLine, RunLine } from '../../core/run/ledger-entry.ts'
import {
  isMade,
  type Made,
  madeOf,
  pathsSeenFrom,
  readLedgerLines,
  refresh,
  workingDirectory,
} from './ledger.ts'

/** All that a ledger tells, for a report. */
export interface History {
  /** In order; what stands before the first is `undefined`'s. */
  readonly runs: readonly { readonly run: RunLine | undefined; readonly account: Account }[]
  /** The latest good summary of each document, by its path, in the order they were made. */
  readonly made: ReadonlyMap<string, Made>
  /** Documents whose last attempt failed, with its line. */
  readonly failing: ReadonlyMap<string, DocumentLine>
  readonly damaged: number
}

/**
 * @param here the working directory, as seen from the output folder: all paths are given as seen from it
 * @throws RunError `usage` where a newer version of this program wrote it, or `io`
 */
export async function readHistory(file: string, here: string): Promise<History> {
  const pathOf = pathsSeenFrom(file, here)
  const cwd = workingDirectory(file, here)
  const runs: { run: RunLine | undefined; account: Account }[] = []
  const made = new Map<string, Made>()
  const failing = new Map<string, DocumentLine>()
  let damaged = 0
  const add = (account: Account) => {
    const current = runs.at(-1)
    if (current === undefined) runs.push({ run: undefined, account })
    else current.account = addAccounts(current.account, account)
  }
  for await (const together of readLedgerLines(file)) {
    for (const line of together) {
      if ('damaged' in line) damaged++
      else if ('run' in line) runs.push({ run: line, account: emptyAccount })
      else if ('dropped' in line) add(line.dropped)
      else if ('path' in line) {
        const run = runs.at(-1)?.run
        const path = pathOf(run, line.path)
        failing.delete(path)
        if (line.status === 'pruned') made.delete(path)
        if (line.status === 'unchanged') refresh(made, path, line)
        if (line.status === 'unchanged' || line.status === 'pruned') continue
        add(accountOf(line))
        if (isMade(line)) {
          made.delete(path)
          made.set(path, madeOf(line, path, cwd, run))
        } else if (line.status === 'failed') failing.set(path, line)
      }
    }
  }
  return { runs, made, failing, damaged }
}
