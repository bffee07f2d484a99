import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ReportOptions } from '../config/report-flags.ts'
import { type Account, addAccounts, emptyAccount } from '../core/account.ts'
import { type Exit, RunError } from '../errors.ts'
import { type History, readHistory } from '../sinks/history.ts'
import { holderFor } from '../sinks/holder.ts'
import { lockFolder } from '../sinks/lock.ts'
import { ledgerIn, memoryFolder } from '../sinks/output-folder.ts'
import { prune, type Stale, staleIn } from '../sinks/stale.ts'
import { streamWriter } from '../sinks/stream-writer.ts'
import { historyText } from '../ui/history.ts'
import type { World } from '../world.ts'

/** The account of past runs of an output folder, from its ledger, and what is stale in it. */
export async function report(dir: string, options: ReportOptions, world: World): Promise<Exit> {
  const out = resolve(world.cwd, dir)
  const ledger = ledgerIn(out)
  if (!(await stat(ledger).catch(() => undefined)))
    throw new RunError(
      'noInput',
      `there is no ledger in ${dir}: no run has written there; name the output folder: claude-batch report <dir>`,
    )
  const unlock = options.prune ? await lock(out, world) : async () => {}
  try {
    const history = await readHistory(ledger)
    const stale = await staleIn(out, history)
    const view = {
      ...history,
      total: totalOf(history),
      standing: history.made.size,
      stale: stale.map((it) => ({ path: it.path, reason: reasonOf(it) })),
    }
    await streamWriter(world.stdout, 'stdout')(historyText(view))
    if (options.prune) {
      refuseTooMuch(stale, history.made.size)
      const pruned = await prune(out, stale, new Date(world.clock.wall()).toISOString())
      world.stderr.write(`claude-batch: ${pruned.length} of ${stale.length} stale summaries taken away\n`)
    }
    return 'ok'
  } finally {
    await unlock()
  }
}

function totalOf({ runs }: History): Account {
  const real = runs.filter(({ run }) => !run?.simulated)
  return real.reduce((sum, { account }) => addAccounts(sum, account), emptyAccount)
}

async function lock(
  out: string,
  { pid, clock, random, isRunning, stderr }: World,
): Promise<() => Promise<void>> {
  const since = new Date(clock.wall()).toISOString()
  const self = await holderFor(pid, since, random().toString(16).slice(2))
  return lockFolder(join(out, memoryFolder), {
    self,
    isRunning,
    tookOver: (dead) =>
      void stderr.write(`claude-batch: took over from process ${dead.pid}, which is dead\n`),
  })
}

/** A disk that is not there must not look like documents that were deleted. */
function refuseTooMuch(stale: readonly Stale[], summaries: number): void {
  const gone = stale.filter(({ why }) => 'gone' in why).length
  if (gone > 0 && gone === summaries)
    throw new RunError(
      'io',
      'not one of the documents is there, so nothing was taken away; is a disk missing? If not, remove the folder itself',
    )
}

function reasonOf({ why, edited }: Stale): string {
  const reason =
    'gone' in why ? 'its document is gone' : `made with ${why.prompt}; the last run used ${why.now}`
  return edited ? `${reason} (edited by hand: it stays)` : reason
}
