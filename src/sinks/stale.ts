import { readFile, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ledgerVersion, type RunLine } from '../core/ledger-line.ts'
import { recordSuffix, summarySuffix } from '../core/output-path.ts'
import { isOlder } from '../core/prompt-version.ts'
import { openAppendFile } from './append-file.ts'
import { cannotWrite } from './disk-error.ts'
import type { History } from './history.ts'
import { type Made, summaryOf } from './ledger.ts'
import { sha256 } from './memory.ts'
import { ledgerIn } from './output-folder.ts'

/** A summary that no longer says what it should. */
export interface Stale {
  readonly path: string
  readonly made: Made
  /** Its document is gone, or it was made with an older version of the prompt that the last run used. */
  readonly why: { readonly gone: true } | { readonly prompt: string; readonly now: string }
  /** Somebody has changed it by hand since: it is theirs. */
  readonly edited: boolean
}

/** Looks at the documents and summaries that the ledger knows, and tells which do not match any more. */
export async function staleIn(out: string, { made, runs }: History): Promise<Stale[]> {
  const last = runs.at(-1)?.run
  const stale: Stale[] = []
  for (const [path, known] of made) {
    const why = (await isGone(out, path, known.run))
      ? ({ gone: true } as const)
      : olderPrompt(known.run, last)
    if (why !== undefined) stale.push({ path, made: known, why, edited: await isEdited(out, path, known) })
  }
  return stale.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * Takes stale summaries away, with the records beside them, and out of the ledger's memory; what they cost stays in
 * its account. Edited ones are left. For the holder of the folder's lock alone.
 * @returns those that were taken away
 */
export async function prune(out: string, stale: readonly Stale[], time: string): Promise<readonly Stale[]> {
  const pruned = stale.filter(({ edited }) => !edited)
  const ledger = await openAppendFile(ledgerIn(out), { mode: 0o600 })
  try {
    for (const { path, made } of pruned) {
      const summary = join(out, summaryOf(path, made))
      await remove(summary)
      await remove(summary.slice(0, -summarySuffix.length) + recordSuffix)
      await ledger.append(JSON.stringify({ v: ledgerVersion, time, path, status: 'pruned' }))
    }
    await ledger.sync()
  } finally {
    await ledger.close()
  }
  return pruned
}

async function remove(file: string): Promise<void> {
  await rm(file, { force: true }).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(file, error)
  })
}

async function isGone(out: string, path: string, run: RunLine | undefined): Promise<boolean> {
  if (path === '-' || run === undefined) return false
  return stat(resolve(out, run.base, path)).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT' || code === 'ENOTDIR',
  )
}

function olderPrompt(run: RunLine | undefined, last: RunLine | undefined): Stale['why'] | undefined {
  if (run === undefined || last === undefined || !isOlder(run.prompt, last.prompt)) return undefined
  return { prompt: run.prompt, now: last.prompt }
}

async function isEdited(out: string, path: string, made: Made): Promise<boolean> {
  const content = await readFile(join(out, summaryOf(path, made))).catch(() => undefined)
  return content !== undefined && sha256(content) !== made.written.sha256
}
