import type { BigIntStats } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { rebasePath, toDocumentPath } from '../core/document/document-path.ts'
import type { OutputFileState } from '../core/document/overwrite-policy.ts'
import { isOlderPromptVersion } from '../core/request/prompt-version.ts'
import { ledgerFormatVersion, type PrunedEntry, type RunStart } from '../core/run/ledger-entry.ts'
import { createDeletionCheck, statDocument } from './deletion-check.ts'
import { removeErrorRecord } from './error-record-file.ts'
import { openAppendFile } from './fs/append-file.ts'
import { toWriteError } from './fs/disk-error.ts'
import { hashFile } from './fs/file-hash.ts'
import { removeFile, statFile } from './fs/no-follow-fs.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import type { LedgerHistory } from './ledger/ledger-history.ts'
import { ledgerPath } from './output-folder.ts'

/** A summary that no longer says what it should. */
export interface StaleSummary {
  readonly path: string
  readonly summary: KnownSummary
  /** Its document was deleted, or an older version of the prompt that the last run used made it. */
  readonly reason: { readonly deleted: true } | { readonly prompt: string; readonly now: string }
  /**
   * Why claude-batch does not remove it. `modified`: somebody edited it by hand. `failing`: its document
   * fails, so there is no other summary. `prompt`: no run used a newer version of the prompt in the
   * document's folder.
   */
  readonly keepReason?: 'modified' | 'failing' | 'prompt' | MissingFolder
}

/** A folder of documents that may be on a disk which is not there. */
interface MissingFolder {
  readonly folder: string
  /** Where its summaries are, below the output folder. */
  readonly summaries: string
}

/**
 * Looks at the documents and summaries that the ledger knows, and tells which do not match any more.
 * @param cwdFromOut as for `readLedgerHistory`
 */
export async function findStaleSummaries(
  out: string,
  cwdFromOut: string,
  history: LedgerHistory,
): Promise<StaleSummary[]> {
  const { summaries, runs, failures } = history
  const lastRun = runs.at(-1)?.start
  const deletedPaths = new Set<string>()
  const deletionCheck = createDeletionCheck()
  /** The prompt that was used last, for each folder of documents. */
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
    const folder = await deletionCheck.findMissingFolder(
      file,
      findTopFolder(file, resolve(out, known.run?.cwd ?? cwdFromOut)),
    )
    if (folder === undefined) return undefined
    const depth = relative(folder, file).split(sep).length
    const summaries = locateSummary(path, known).split('/').slice(0, -depth).join('/')
    return { folder: toDocumentPath(folder, resolve(out, cwdFromOut)) || '.', summaries }
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
 * Takes stale summaries away, with the records beside them, and out of the ledger's memory; what they cost
 * stays in its account. Those that stay are left. For the holder of the folder's lock alone.
 * @param cwdFromOut as for `readLedgerHistory`
 * @returns how many were taken away
 */
export async function pruneStaleSummaries(
  out: string,
  cwdFromOut: string,
  stale: readonly StaleSummary[],
  { runs }: LedgerHistory,
  time: string,
): Promise<number> {
  const prunable = stale.filter(({ keepReason }) => keepReason === undefined)
  // What is written now is read as the last run's.
  const cwd = runs.at(-1)?.start?.cwd ?? cwdFromOut
  const ledger = await openAppendFile(ledgerPath(out), { mode: 0o600, root: out })
  try {
    for (const { path, summary: made } of prunable) {
      const summary = locateSummary(path, made)
      await removeFile(out, join(out, summary)).catch((error: NodeJS.ErrnoException) => {
        throw toWriteError(join(out, summary), error)
      })
      await removeErrorRecord(out, summary)
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

/** The first folder on the way from a run's working directory to a document below it. */
function findTopFolder(file: string, base: string): string | undefined {
  const path = toDocumentPath(file, base)
  if (path === file.split(sep).join('/')) return undefined
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

/** A summary that cannot be read, or that has a name no run can have given it, counts as modified by hand. */
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
