import { formatFrontMatter, stripFrontMatter } from '../core/document/front-matter.ts'
import { summarySuffix } from '../core/document/output-path.ts'
import type { Clock } from '../core/run/clock.ts'
import { isDigest } from '../core/run/is-digest.ts'
import {
  isSummarized,
  ledgerFormatVersion,
  type OutputFile,
  type UnchangedEntry,
} from '../core/run/ledger-entry.ts'
import { hashText } from './fs/file-hash.ts'
import { type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import { readOutputText } from './ledger/latest-results.ts'
import { type LedgerReducers, reduceLedger } from './ledger/reduce-ledger.ts'
import { ledgerPath } from './output-folder.ts'
import type { OutputState } from './output-state.ts'

export interface AddFrontMatterOptions {
  readonly outputState: Pick<
    OutputState,
    'summaries' | 'unfinishedPaths' | 'rewriteSummary' | 'syncFolders' | 'confirmUnchanged'
  >
  /** The working directory, relative to the output folder. */
  readonly cwdFromOut: string
  readonly clock: Pick<Clock, 'wallTime'>
  /** When it is aborted, no further summary is rewritten. */
  readonly drainSignal: AbortSignal
}

/**
 * Adds front matter to summaries of earlier runs that have none. Sends no request: the data are those of the run
 * that made each summary. Summaries that were edited by hand stay as they are.
 * @param out the output folder; absolute
 * @param paths of the documents
 * @returns how many summaries were changed
 * @throws ExitError `ioError`
 */
export async function addFrontMatter(
  out: string,
  paths: Iterable<string>,
  { outputState, cwdFromOut, clock, drainSignal }: AddFrontMatterOptions,
): Promise<number> {
  const { summaries, unfinishedPaths } = outputState
  const candidates = [...paths].filter((path) => {
    const known = summaries.get(path)
    return known !== undefined && !unfinishedPaths.has(path) && canLackFrontMatter(path, known)
  })
  if (candidates.length === 0) return 0
  const heads = await readHeads(out, cwdFromOut, new Set(candidates))
  const confirmations: UnchangedEntry[] = []
  let addedCount = 0
  for (const [path, head] of heads) {
    const known = summaries.get(path)
    if (drainSignal.aborted) break
    if (known === undefined) continue
    const file = locateSummary(path, known)
    const text = await readOutputText(out, file)
    if (text === undefined) continue
    const bareText = stripFrontMatter(text, known)
    // A run that was killed may have written front matter that it did not record.
    if (![text, bareText].map(hashText).includes(known.output.sha256)) continue
    if (bareText === text) addedCount++
    const output = await outputState.rewriteSummary(file, head + bareText, known)
    confirmations.push(toConfirmation(path, known, output, new Date(clock.wallTime()).toISOString()))
  }
  // If the ledger had a hash before the file is on disk, a power failure would make the file look edited.
  await outputState.syncFolders()
  for (const confirmation of confirmations) await outputState.confirmUnchanged(confirmation)
  return addedCount
}

/** Whether a summary is text in which the ledger records no front matter. A digest never has any. */
function canLackFrontMatter(
  path: string,
  { output, run, sha256, isMisnamed, ...known }: KnownSummary,
): boolean {
  if (output.front_matter || isMisnamed || sha256 === undefined || isDigest(run?.prompt)) return false
  return (known.file ?? path + summarySuffix).endsWith(summarySuffix)
}

/** Returns the front matter of summaries, by document, from the ledger. */
async function readHeads(
  out: string,
  cwdFromOut: string,
  paths: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const reducers: LedgerReducers<Map<string, string>> = {
    document(heads, entry, { path }) {
      if (paths.has(path) && isSummarized(entry)) heads.set(path, formatFrontMatter({ ...entry, path }))
    },
  }
  return reduceLedger(ledgerPath(out), cwdFromOut, new Map(), reducers)
}

function toConfirmation(
  path: string,
  known: KnownSummary,
  { path: _, ...output }: OutputFile,
  at: string,
): UnchangedEntry {
  const { size, mtime, requestHash, settingsHash } = known
  return {
    type: 'unchanged',
    format_version: ledgerFormatVersion,
    path,
    at,
    size_bytes: size,
    ...(mtime !== undefined && { mtime_ms: mtime }),
    request_hash: requestHash,
    settings_hash: settingsHash,
    output,
  }
}
