import type { MergeOptions } from '../config/merge-flags.ts'
import { pluralize } from '../core/text/format-number.ts'
import { type Exit, ExitError } from '../errors.ts'
import { describeLeftovers, findMergeProblems, type InspectedFolder } from '../run/find-merge-problems.ts'
import { lockMergeFolder } from '../run/lock-merge-folder.ts'
import { type NamedFolder, resolveMergeFolders } from '../run/resolve-merge-folders.ts'
import { createResourceStack, type ResourceStack } from '../run/resource-stack.ts'
import { exitBySignal, type Runtime } from '../runtime.ts'
import { createTempNonce } from '../storage/fs/unshared-file.ts'
import { chooseOwners } from '../storage/merge/choose-owners.ts'
import {
  createSharedHistory,
  type FolderHistory,
  readFolderHistory,
  type SharedHistory,
} from '../storage/merge/folder-history.ts'
import { mergeChunkCache } from '../storage/merge/merge-chunk-cache.ts'
import { type PlacedResults, placeResults } from '../storage/merge/place-results.ts'
import { findUnfinishedWork } from '../storage/merge/unfinished-work.ts'
import { writeMergedLedger } from '../storage/merge/write-merged-ledger.ts'
import { createOutputFolder, hasLedger, probeOutputFolder } from '../storage/output-folder.ts'
import { readShardRecord, removeShardRecord } from '../storage/shard-file.ts'
import { printMessage } from '../ui/print-message.ts'
import { chooseProgressMode, type ProgressDisplay, showProgress } from '../ui/progress.ts'

/**
 * Combines output folders into one. The files come first; then one rename puts the ledger in place that names them. So a
 * merge that is killed has changed no result, and the next one finishes it.
 * @throws UsageError, ExitError
 */
export async function merge(
  names: readonly string[],
  options: MergeOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const { target, sources } = await resolveMergeFolders(names, options.out, runtime.cwd)
  const locks = createResourceStack()
  const stop = new AbortController()
  const stopListening = runtime.onStopSignal((signal) =>
    stop.abort(
      new ExitError(exitBySignal[signal], `stopped by ${signal}; to continue, run the same command again`),
    ),
  )
  try {
    const context = { runtime, version, locks }
    const { shared, folders, inspected } = await openFolders(target, sources, context)
    const nonce = createTempNonce('merge').slice(0, 12)
    const foldsCase = await probeOutputFolder(target.out, nonce)
    const owners = await chooseOwners(folders, shared)
    const { signal } = stop
    const progress = createProgress(options, runtime)
    const placing = { folders, owners, foldsCase, nonce, signal, onPlaced: progress.update }
    const placed = await placeResults(placing).finally(progress.stop)
    await mergeChunkCache(
      target.out,
      sources.map(({ out }) => out),
    )
    const isLedgerNew = await writeMergedLedger({ folders, shared, owners, outputs: placed.outputs })
    await removeShardRecord(target.out)

    if (!options.quiet) printMessage(runtime, formatMerged(folders, placed, isLedgerNew))
    printList(formatConflicts(placed, target), runtime)
    const problems = [...placed.problems, ...findMergeProblems(inspected)]
    printList(problems, runtime)
    return problems.length === 0 ? 'ok' : 'failed'
  } finally {
    stopListening()
    await locks.close((error) => printMessage(runtime, error.message))
  }
}

interface OpenFolders {
  readonly shared: SharedHistory
  /** The target first. */
  readonly folders: readonly [FolderHistory, ...FolderHistory[]]
  readonly inspected: readonly InspectedFolder[]
}

/**
 * Locks all folders and reads their ledgers. Creates the target only when nothing speaks against the merge.
 * @throws ExitError `locked`, `ioError`; `usage` if a folder must be finished by another command first
 */
async function openFolders(
  target: NamedFolder,
  sources: readonly NamedFolder[],
  context: MergeContext,
): Promise<OpenFolders> {
  const { cwd } = context.runtime
  const killedNames = new Set<string>()
  const targetExists = hasLedger(target.out)
  if (targetExists && (await lock(target, false, context))) killedNames.add(target.name)
  for (const source of sources) if (await lock(source, true, context)) killedNames.add(source.name)
  const shared = createSharedHistory(cwd)
  const targetHistory = await readFolderHistory(target.name, target.out, shared)
  const histories: FolderHistory[] = []
  for (const { name, out } of sources) histories.push(await readFolderHistory(name, out, shared))
  const folders = [targetHistory, ...histories] as const
  const inspected: InspectedFolder[] = []
  for (const history of targetExists ? folders : histories)
    inspected.push({
      history,
      hasLedger: hasLedger(history.out),
      work: await findUnfinishedWork(history, cwd),
      shard: await readShardRecord(history.out),
      wasKilled: killedNames.has(history.name),
    })
  checkTarget(inspected.find(({ history }) => history === targetHistory))
  if (!targetExists) {
    await createOutputFolder(target.out)
    await lock(target, false, context)
  }
  return { shared, folders, inspected }
}

interface MergeContext {
  readonly runtime: Runtime
  readonly version: string
  readonly locks: ResourceStack
}

/** Locks a folder until the end. @returns whether a killed run had left its lock */
async function lock(
  folder: NamedFolder,
  isSource: boolean,
  { runtime, version, locks }: MergeContext,
): Promise<boolean> {
  const { unlock, wasKilled } = await lockMergeFolder(folder, runtime, { isSource, version })
  locks.add({ close: unlock })
  return wasKilled
}

/** @throws ExitError `usage` if results in the target are not in its ledger, which the merge replaces */
function checkTarget(target: InspectedFolder | undefined): void {
  if (target === undefined) return
  const { work, history } = target
  if (work.journaledCount > 0 || work.hasChunkCosts)
    throw new ExitError(
      'usage',
      `${history.name}: an interrupted run left ${describeLeftovers(work)}; run summarize with -o ${history.name} first`,
    )
}

interface MergeProgress {
  readonly update: (done: number, total: number) => void
  readonly stop: () => void
}

function createProgress({ quiet }: MergeOptions, runtime: Runtime): MergeProgress {
  const mode = quiet ? 'off' : chooseProgressMode('auto', runtime)
  let display: ProgressDisplay | undefined
  let [done, total] = [0, 0]
  const rest = { failed: 0, cost: 0n, remainingMs: undefined, limitedBy: undefined, waitingText: undefined }
  return {
    update(newDone, newTotal) {
      done = newDone
      total = newTotal
      display ??= showProgress(mode, runtime.stderr, () => ({ done, total, ...rest }))
    },
    stop: () => display?.stop(),
  }
}

function formatMerged(
  [target, ...sources]: readonly [FolderHistory, ...FolderHistory[]],
  { writtenCount }: PlacedResults,
  isLedgerNew: boolean,
): string {
  if (writtenCount === 0 && !isLedgerNew)
    return `${target.name} already has everything from ${pluralize(sources.length, 'folder')}`
  return `merged ${pluralize(sources.length, 'folder')} into ${target.name}: ${pluralize(writtenCount, 'file')} written`
}

function formatConflicts({ conflicts }: PlacedResults, { name }: NamedFolder): string[] {
  return conflicts.map(
    ({ path, folder, file }) => `${path}: the other text, from ${folder}, is in ${name}/${file}`,
  )
}

const maxPrinted = 20

function printList(messages: readonly string[], runtime: Runtime): void {
  for (const text of messages.slice(0, maxPrinted)) printMessage(runtime, text)
  const more = messages.length - maxPrinted
  if (more > 0) printMessage(runtime, `and ${more} more like these`)
}
