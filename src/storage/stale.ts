import type { BigIntStats } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { seenFrom, sourcePath } from '../core/document/document-path.ts'
import { isOlder } from '../core/request/prompt-version.ts'
import { ledgerVersion, type RunLine } from '../core/run/ledger-entry.ts'
import { createDeleted, statDocument } from './deletion-check.ts'
import { removeRecord } from './error-records.ts'
import { openAppendFile } from './fs/append-file.ts'
import { cannotWrite } from './fs/disk-error.ts'
import { sha256Of } from './fs/file-hash.ts'
import { removeFile, statFile } from './fs/output-files.ts'
import { type Made, summaryOf } from './ledger/ledger.ts'
import type { History } from './ledger/read-history.ts'
import { ledgerIn } from './output-folder.ts'

/** A summary that no longer says what it should. */
export interface Stale {
  readonly path: string
  readonly made: Made
  /** Its document is gone, or it was made with an older version of the prompt that the last run used. */
  readonly why: { readonly gone: true } | { readonly prompt: string; readonly now: string }
  /**
   * Why it is not to be taken away. It was edited by hand: it is theirs. Its document fails: it is all there is. In the
   * document's folder no newer version of the prompt was used: that one may be meant for other folders alone.
   */
  readonly stays?: 'edited' | 'failing' | 'prompt' | Missing
}

/** A folder of documents that may be on a disk which is not there. */
interface Missing {
  readonly folder: string
  /** Where its summaries are, below the output folder. */
  readonly summaries: string
}

/**
 * Looks at the documents and summaries that the ledger knows, and tells which do not match any more.
 * @param here as for `readHistory`
 */
export async function staleIn(out: string, here: string, history: History): Promise<Stale[]> {
  const { made, runs, failing } = history
  const last = runs.at(-1)?.run
  const gone = new Set<string>()
  const deleted = createDeleted()
  /** The prompt that was used last, for each folder of documents. */
  const prompts = new Map<string, string>()
  for (const [path, known] of made) {
    if (known.run !== undefined) prompts.set(dirname(path), known.run.prompt)
    const file = resolve(out, here, path)
    const stats = await documentAt(file, path, known)
    if (stats === undefined) gone.add(path)
    else if (stats !== 'unknown' && Number(stats.size) === known.size) deleted.saw(file, stats)
  }

  const missingFor = async (path: string, known: Made): Promise<Missing | undefined> => {
    const file = resolve(out, here, path)
    const folder = await deleted.missing(file, topOf(file, resolve(out, known.run?.base ?? here)))
    if (folder === undefined) return undefined
    const below = relative(folder, file).split(sep).length
    const summaries = summaryOf(path, known).split('/').slice(0, -below).join('/')
    return { folder: sourcePath(folder, resolve(out, here)) || '.', summaries }
  }
  const staysFor = async (path: string, known: Made): Promise<Stale['stays']> => {
    const summary = await summaryAt(out, path, known)
    if (summary === 'edited') return 'edited'
    if (gone.has(path)) return summary === 'gone' ? undefined : await missingFor(path, known)
    if (failing.has(path)) return 'failing'
    return isOlder(known.run?.prompt ?? '', prompts.get(dirname(path)) ?? '') ? undefined : 'prompt'
  }

  const stale: Stale[] = []
  for (const [path, known] of made) {
    const why = gone.has(path) ? ({ gone: true } as const) : olderPrompt(known.run, last)
    if (why === undefined) continue
    const stays = await staysFor(path, known)
    stale.push({ path, made: known, why, ...(stays !== undefined && { stays }) })
  }
  return stale.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * Takes stale summaries away, with the records beside them, and out of the ledger's memory; what they cost stays in
 * its account. Those that stay are left. For the holder of the folder's lock alone.
 * @param here as for `readHistory`
 * @returns how many were taken away
 */
export async function prune(
  out: string,
  here: string,
  stale: readonly Stale[],
  { runs }: History,
  time: string,
): Promise<number> {
  const pruned = stale.filter(({ stays }) => stays === undefined)
  // What is written now is read as the last run's.
  const base = runs.at(-1)?.run?.base ?? here
  const ledger = await openAppendFile(ledgerIn(out), { mode: 0o600, root: out })
  try {
    for (const { path, made } of pruned) {
      const summary = summaryOf(path, made)
      await removeFile(out, join(out, summary)).catch((error: NodeJS.ErrnoException) => {
        throw cannotWrite(join(out, summary), error)
      })
      await removeRecord(out, summary)
      const line = { v: ledgerVersion, time, path: seenFrom(out, base, here, path), status: 'pruned' }
      await ledger.append(JSON.stringify(line))
    }
    await ledger.sync()
  } finally {
    await ledger.close()
  }
  return pruned.length
}

/** Undefined where it is gone. */
async function documentAt(
  file: string,
  path: string,
  { run }: Made,
): Promise<BigIntStats | 'unknown' | undefined> {
  if (path === '-' || run === undefined) return 'unknown'
  return statDocument(file)
}

/** The first folder on the way from a run's working directory to a document below it. */
function topOf(file: string, base: string): string | undefined {
  const path = sourcePath(file, base)
  if (path === file.split(sep).join('/')) return undefined
  const [first = '', ...rest] = path.split('/')
  return rest.length === 0 ? base : join(base, first)
}

function olderPrompt(run: RunLine | undefined, last: RunLine | undefined): Stale['why'] | undefined {
  if (run === undefined || last === undefined || !isOlder(run.prompt, last.prompt)) return undefined
  return { prompt: run.prompt, now: last.prompt }
}

/** What cannot be read may well have been edited, and what no run can have named so was never written by one. */
async function summaryAt(out: string, path: string, made: Made): Promise<'intact' | 'edited' | 'gone'> {
  const file = join(out, summaryOf(path, made))
  try {
    if (made.misnamed) return 'edited'
    if (statFile(out, file) === undefined) return 'gone'
    return (await sha256Of(out, file)) === made.written.sha256 ? 'intact' : 'edited'
  } catch {
    return 'edited'
  }
}
