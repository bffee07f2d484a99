import { join, relative, resolve, sep } from 'node:path'
import type { ReportOptions } from '../config/report-flags.ts'
import { type Account, addAccounts, emptyAccount } from '../core/pricing/totals.ts'
import { printable } from '../core/text/escape-control.ts'
import { type Exit, RunError } from '../errors.ts'
import { lockOutputFolder } from '../run/lock-output-folder.ts'
import { reportRuns } from '../run/report-runs.ts'
import type { World } from '../runtime.ts'
import { streamWriter } from '../storage/fs/stream-writer.ts'
import { type History, readHistory } from '../storage/ledger/read-history.ts'
import { hasLedger, ledgerIn } from '../storage/output-folder.ts'
import { prune, type Stale, staleIn } from '../storage/stale.ts'
import { historyText } from '../ui/history.ts'

/** The account of past runs of an output folder, from its ledger, and what is stale in it. */
export async function report(
  dir: string,
  options: ReportOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const out = resolve(world.cwd, dir)
  const ledger = ledgerIn(out)
  for (const name of [dir, ...(options.merge ?? [])])
    if (!hasLedger(resolve(world.cwd, name)))
      throw new RunError(
        'noInput',
        `there is no ledger in ${name}: no run has written there; name the output folder: claude-batch report <dir>`,
      )
  if (
    options.merge !== undefined ||
    options.format !== 'text' ||
    options.run !== undefined ||
    options.groupBy !== undefined ||
    options.compareEstimate !== undefined
  )
    return reportRuns(out, options, world, version)
  const unlock = options.prune
    ? await lockOutputFolder(out, world, { command: 'report --prune', version })
    : async () => {}
  try {
    const here = relative(out, world.cwd).split(sep).join('/')
    const history = await readHistory(ledger, here)
    const stale = await staleIn(out, here, history)
    const view = {
      ...history,
      total: totalOf(history),
      standing: history.made.size,
      doubtful: [...history.made].flatMap(([path, { doubts }]) =>
        doubts === undefined ? [] : [{ path, reason: doubts.join(', ') }],
      ),
      stale: stale.map((it) => ({ path: it.path, reason: reasonOf(it) })),
    }
    await streamWriter(world.stdout, 'stdout')(historyText(view))
    if (!options.prune) return 'ok'
    const pruned = await prune(out, here, stale, history, new Date(world.clock.wall()).toISOString())
    world.stderr.write(`claude-batch: ${pruned} of ${stale.length} stale summaries taken away\n`)
    const missing = missingFolders(stale, dir)
    for (const text of missing) world.stderr.write(`claude-batch: ${printable(text)}\n`)
    return missing.length === 0 ? 'ok' : 'io'
  } finally {
    await unlock()
  }
}

function totalOf({ runs }: History): Account {
  const real = runs.filter(({ run }) => !run?.simulated)
  return real.reduce((sum, { account }) => addAccounts(sum, account), emptyAccount)
}

/** What to say of each folder of documents that seems to be missing. */
function missingFolders(stale: readonly Stale[], dir: string): string[] {
  const folders = new Map<string, { readonly summaries: string; count: number }>()
  for (const { stays } of stale) {
    if (typeof stays !== 'object') continue
    const { folder, summaries } = stays
    const known = folders.get(folder)
    if (known === undefined) folders.set(folder, { summaries, count: 1 })
    else known.count++
  }
  const texts = [...folders].map(
    ([folder, { summaries, count }]) =>
      `no document in ${folder} is there as it was, so ${count === 1 ? 'its summary stays' : `its ${count} summaries stay`}: is a disk missing? If the documents were deleted, remove their summaries in ${join(dir, summaries)} yourself`,
  )
  const more = texts.length - mostFolders
  return more > 0 ? [...texts.slice(0, mostFolders), `and so for ${more} more folders`] : texts
}

const mostFolders = 20

function reasonOf({ why, stays }: Stale): string {
  const reason =
    'gone' in why ? 'its document is gone' : `made with ${why.prompt}; the last run used ${why.now}`
  if (stays === undefined) return reason
  const because =
    typeof stays === 'object'
      ? `so is all that was in ${stays.folder}, as if a disk were missing`
      : becauses[stays]
  return `${reason} (${because}: it stays)`
}

const becauses = {
  edited: 'edited by hand',
  failing: 'its document fails',
  prompt: 'not in its folder',
} as const
