import { resolve } from 'node:path'
import type { ReportOptions } from '../config/report-flags.ts'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { addTotals, emptyTotals, type Totals } from '../core/pricing/totals.ts'
import { CommandLineError, type Exit } from '../errors.ts'
import { lockOutputFolder } from '../run/lock-output-folder.ts'
import { reportRuns } from '../run/report-runs.ts'
import { requireLedger } from '../run/require-ledger.ts'
import type { Runtime } from '../runtime.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { type LedgerHistory, readLedgerHistory } from '../storage/ledger/ledger-history.ts'
import { ledgerPath } from '../storage/output-folder.ts'
import { findStaleSummaries, pruneStaleSummaries, type StaleSummary } from '../storage/stale-summaries.ts'
import { formatHistory } from '../ui/format-history.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Prints the past runs and stale summaries of an output folder. With `--prune`, removes stale summaries.
 * @throws UsageError, ExitError
 */
export async function report(
  dir: string,
  options: ReportOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const out = resolve(runtime.cwd, dir)
  if (options.gone !== undefined && !options.prune)
    throw new CommandLineError('--gone is an option of --prune; add --prune')
  const ledger = ledgerPath(out)
  for (const name of [dir, ...(options.merge ?? [])]) requireLedger(name, runtime.cwd, 'report')
  if (
    options.merge !== undefined ||
    options.format !== 'text' ||
    options.run !== undefined ||
    options.groupBy !== undefined ||
    options.since !== undefined ||
    options.compareEstimate !== undefined
  )
    return reportRuns(out, options, runtime, version)
  const unlock = options.prune
    ? await lockOutputFolder(out, runtime, { command: 'report --prune', version })
    : async () => {}
  try {
    const cwdFromOut = computeCwdFromOut(out, runtime.cwd)
    const history = await readLedgerHistory(ledger, cwdFromOut)
    const gone = (options.gone ?? []).map((folder) => resolve(runtime.cwd, folder))
    const stale = await findStaleSummaries(out, cwdFromOut, history, gone)
    const view = {
      ...history,
      total: sumRuns(history),
      summarized: history.summaries.size,
      flagged: [...history.summaries].flatMap(([path, { qualityIssues }]) =>
        qualityIssues === undefined ? [] : [{ path, reason: qualityIssues.join(', ') }],
      ),
      stale: stale.map((summary) => ({ path: summary.path, reason: formatStaleReason(summary) })),
    }
    await createStreamWriter(runtime.stdout, 'stdout')(formatHistory(view))
    if (!options.prune) return 'ok'
    const pruned = await pruneStaleSummaries(
      out,
      cwdFromOut,
      stale,
      history,
      new Date(runtime.clock.wallTime()).toISOString(),
    )
    printMessage(
      runtime,
      stale.length === 0
        ? 'there are no stale summaries to remove'
        : `${pruned} of ${stale.length} stale summaries removed`,
    )
    const messages = formatMissingFolders(stale, dir)
    for (const text of messages) printMessage(runtime, text)
    return messages.length === 0 ? 'ok' : 'ioError'
  } finally {
    await unlock()
  }
}

function sumRuns({ runs }: LedgerHistory): Totals {
  const liveRuns = runs.filter(({ start }) => !start?.simulated)
  return liveRuns.reduce((sum, { totals }) => addTotals(sum, totals), emptyTotals)
}

/** Returns a message for each folder whose documents are all missing. */
function formatMissingFolders(stale: readonly StaleSummary[], dir: string): string[] {
  const counts = new Map<string, number>()
  for (const { keepReason } of stale) {
    if (typeof keepReason !== 'object') continue
    const { folder } = keepReason
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  const messages = [...counts].map(
    ([folder, count]) =>
      `every document in ${folder} is missing; kept ${count === 1 ? 'its summary' : `its ${count} summaries`} in case a disk is not mounted. If the documents were deleted: claude-batch report ${dir} --prune --gone ${folder}`,
  )
  const more = messages.length - maxListedFolders
  return more > 0 ? [...messages.slice(0, maxListedFolders), `likewise in ${more} more folders`] : messages
}

const maxListedFolders = 20

function formatStaleReason({ reason, keepReason }: StaleSummary): string {
  const reasonText =
    'deleted' in reason
      ? 'its document is deleted'
      : `made with ${reason.prompt}; the last run used ${reason.now}`
  if (keepReason === undefined) return reasonText
  const keepText =
    typeof keepReason === 'object'
      ? `all of ${keepReason.folder} is missing, perhaps a disk that is not mounted`
      : keepReasons[keepReason]
  return `${reasonText} (kept: ${keepText})`
}

const keepReasons = {
  modified: 'edited by hand',
  failing: 'its document fails',
  prompt: 'the newer version was not used in its folder',
} as const
