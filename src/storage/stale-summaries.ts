import type { BigIntStats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isInside, rebasePath, toDocumentPath, toSlashes } from '../core/document/document-path.ts'
import type { OutputFileState } from '../core/document/overwrite-policy.ts'
import { isOlderPromptVersion } from '../core/request/prompt-version.ts'
import { ledgerFormatVersion, type PrunedEntry, type RunStart } from '../core/run/ledger-entry.ts'
import { createDeletionCheck, statDocument } from './deletion-check.ts'
import { openAppendFile } from './fs/append-file.ts'
import { hashFile } from './fs/file-hash.ts'
import { statFile } from './fs/no-follow-fs.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import type { LedgerHistory } from './ledger/ledger-history.ts'
import { ledgerPath } from './output-folder.ts'
import { removeSummary } from './remove-summary.ts'

/** A summary whose document was deleted, or that was made with an older prompt version. */
export interface StaleSummary {
  readonly path: string
  readonly summary: KnownSummary
  /**
   * `deleted`: the document was deleted. `prompt`: the prompt version that made the summary, and the last
   * run's.
   */
  readonly reason: { readonly deleted: true } | { readonly prompt: string; readonly now: string }
  /**
   * Why claude-batch keeps the summary. `modified`: it was edited by hand. `failing`: its document fails, so
   * there is no newer summary. `prompt`: no run has used a newer prompt version in the document's folder.
   */
  readonly keepReason?: 'modified' | 'failing' | 'prompt' | MissingFolder
}

/** A folder of documents that may be on a disk that is not mounted. */
interface MissingFolder {
  readonly folder: string
}

/**
 * Returns the stale summaries of an output folder, sorted by path. Compares all documents and summaries in
 * the ledger with the files on disk.
 * @param cwdFromOut as for `readLedgerHistory`
 * @param goneFolders folders of documents that the user says are gone; absolute
 */
export async function findStaleSummaries(
  out: string,
  cwdFromOut: string,
  history: LedgerHistory,
  goneFolders: readonly string[] = [],
): Promise<StaleSummary[]> {
  const { summaries, runs, failures } = history
  const lastRun = runs.at(-1)?.start
  const deletedPaths = new Set<string>()
  const deletionCheck = createDeletionCheck()
  /** The last prompt version used in each folder of documents. */
  const latestPrompts = new Map<string, string>()
  for (const [path, known] of summaries) {
    if (known.run !== undefined) latestPrompts.set(dirname(path), known.run.prompt)
    const file = resolve(out, cwdFromOut, path)
    const stats = await statKnownDocument(file, path, known)
    if (stats === undefined) deletedPaths.add(path)
    else if (stats !== 'unknown' && Number(stats.size) === known.size)
      deletionCheck.recordExisting(file, stats)
  }

  const findMissing = async (path: string, known: KnownSummary): Promise<MissingFolder | undefined> => {
    const file = resolve(out, cwdFromOut, path)
    if (goneFolders.some((folder) => isInside(file, folder))) return undefined
    const folder = await deletionCheck.findMissingFolder(
      file,
      findTopFolder(file, resolve(out, known.run?.cwd ?? cwdFromOut)),
    )
    if (folder === undefined) return undefined
    return { folder: toDocumentPath(folder, resolve(out, cwdFromOut)) || '.' }
  }
  const findKeepReason = async (path: string, known: KnownSummary): Promise<StaleSummary['keepReason']> => {
    const summary = await inspectSummary(out, path, known)
    if (summary === 'modified') return 'modified'
    if (deletedPaths.has(path)) return summary === 'deleted' ? undefined : await findMissing(path, known)
    if (failures.has(path)) return 'failing'
    return isOlderPromptVersion(known.run?.prompt ?? '', latestPrompts.get(dirname(path)) ?? '')
      ? undefined
      : 'prompt'
  }

  const stale: StaleSummary[] = []
  for (const [path, known] of summaries) {
    const reason = deletedPaths.has(path) ? ({ deleted: true } as const) : findOlderPrompt(known.run, lastRun)
    if (reason === undefined) continue
    const keepReason = await findKeepReason(path, known)
    stale.push({ path, summary: known, reason, ...(keepReason !== undefined && { keepReason }) })
  }
  return stale.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * Deletes the stale summaries that have no `keepReason`, and their error records. Marks them as pruned in the
 * ledger, which keeps their costs. The caller must hold the folder's lock.
 * @param cwdFromOut as for `readLedgerHistory`
 * @param time of the pruning (ISO 8601)
 * @returns the number of deleted summaries
 */
export async function pruneStaleSummaries(
  out: string,
  cwdFromOut: string,
  stale: readonly StaleSummary[],
  { runs }: LedgerHistory,
  time: string,
): Promise<number> {
  const prunable = stale.filter(({ keepReason }) => keepReason === undefined)
  // Entries appended now are read as entries of the last run, so their paths are relative to its working
  // directory.
  const cwd = runs.at(-1)?.start?.cwd ?? cwdFromOut
  const ledger = await openAppendFile(ledgerPath(out), { mode: 0o600, root: out })
  try {
    for (const { path, summary: made } of prunable) {
      const summary = locateSummary(path, made)
      await removeSummary(out, summary)
      const entry: PrunedEntry = {
        type: 'pruned',
        format_version: ledgerFormatVersion,
        path: rebasePath(out, cwd, cwdFromOut, path),
        at: time,
      }
      await ledger.append(JSON.stringify(entry))
    }
    await ledger.sync()
  } finally {
    await ledger.close()
  }
  return prunable.length
}

/**
 * Returns the metadata of a document; undefined if it was deleted, `unknown` if the ledger does not say where
 * it was.
 */
async function statKnownDocument(
  file: string,
  path: string,
  { run }: KnownSummary,
): Promise<BigIntStats | 'unknown' | undefined> {
  if (path === '-' || run === undefined) return 'unknown'
  return statDocument(file)
}

/**
 * Returns the first folder on the path from a run's working directory to a document; undefined if it is not
 * below.
 */
function findTopFolder(file: string, base: string): string | undefined {
  const path = toDocumentPath(file, base)
  if (path === toSlashes(file)) return undefined
  const [first = '', ...rest] = path.split('/')
  return rest.length === 0 ? base : join(base, first)
}

function findOlderPrompt(
  run: RunStart | undefined,
  lastRun: RunStart | undefined,
): StaleSummary['reason'] | undefined {
  if (run === undefined || lastRun === undefined || !isOlderPromptVersion(run.prompt, lastRun.prompt))
    return undefined
  return { prompt: run.prompt, now: lastRun.prompt }
}

/**
 * Returns the state of a summary. One that cannot be read, or has an impossible name, counts as modified by
 * hand.
 */
async function inspectSummary(
  out: string,
  path: string,
  known: KnownSummary,
): Promise<Extract<OutputFileState, 'unmodified' | 'modified' | 'deleted'>> {
  const file = join(out, locateSummary(path, known))
  try {
    if (known.isMisnamed) return 'modified'
    if (statFile(out, file) === undefined) return 'deleted'
    return (await hashFile(out, file)) === known.output.sha256 ? 'unmodified' : 'modified'
  } catch {
    return 'modified'
  }
}
