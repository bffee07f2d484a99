import { dirname } from 'node:path'
import { addTotals, type Totals, toTotals } from '../../core/pricing/totals.ts'
import {
  type CompactedEntry,
  type DocumentEntry,
  isSummarized,
  type LedgerEntry,
  ledgerFormatVersion,
  type UnchangedEntry,
} from '../../core/run/ledger-entry.ts'
import { writeFileAtomic } from '../fs/atomic-write.ts'
import { syncFolder } from '../fs/create-folder.ts'
import { createTempNonce } from '../fs/unshared-file.ts'
import { backUpDamaged } from './read-journal.ts'
import { createLineReducer, type LedgerReducers, readLedgerLines, reduceLedger } from './reduce-ledger.ts'

/**
 * Rewrites a ledger without the entries that later ones supersede. One entry per run keeps the totals of the
 * removed entries, so no sum changes. Damaged lines without a legible document path are removed too. The new
 * file is complete and synced to disk before it replaces the old one.
 * @param cwdFromOut the working directory, relative to the output folder
 * @param backUpFirst whether to copy the old file to `<file>.damaged` first
 * @throws ExitError `ioError`; the ledger is then unchanged
 */
export async function compactLedger(file: string, cwdFromOut: string, backUpFirst = false): Promise<void> {
  const latest = await reduceLedger(file, cwdFromOut, new Map<string, LatestLines>(), latestLineReducers)
  if (backUpFirst) await backUpDamaged(file)
  const text = generateLiveLines(file, cwdFromOut, latest)
  await writeFileAtomic(dirname(dirname(file)), file, text, createTempNonce('ledger'), 0o600)
  await syncFolder(dirname(file))
}

/** The lines of a document that no later line supersedes. */
interface LatestLines {
  readonly summary?: { readonly lineNumber: number; readonly requestHash: string }
  /** The last entry that confirmed that the document of that summary is unchanged. */
  readonly confirmation?: UnchangedEntry
  /** The line number of a later failure. */
  readonly failureLine?: number
}

const latestLineReducers: LedgerReducers<Map<string, LatestLines>> = {
  document(latest, entry, { lineNumber, path }) {
    if (isSummarized(entry)) latest.set(path, { summary: { lineNumber, requestHash: entry.request_hash } })
    else latest.set(path, { ...withoutFailure(latest.get(path)), failureLine: lineNumber })
  },
  unchanged(latest, entry, { path }) {
    const { summary, ...rest } = withoutFailure(latest.get(path))
    const isConfirmed = summary?.requestHash === entry.request_hash
    const { output } = rest.confirmation ?? {}
    const confirmation = output === undefined ? entry : { output, ...entry }
    latest.set(path, { ...rest, ...(summary && { summary }), ...(isConfirmed && { confirmation }) })
  },
  pruned(latest, _entry, { path }) {
    latest.delete(path)
  },
}

function withoutFailure({ failureLine: _, ...others }: LatestLines = {}): LatestLines {
  return others
}

/** Yields the text of the new ledger, one piece for each read of the old one. */
async function* generateLiveLines(
  file: string,
  cwdFromOut: string,
  latest: ReadonlyMap<string, LatestLines>,
): AsyncGenerator<string> {
  const state: RewriteState = { latest, text: '', compacted: undefined }
  const applyLine = createLineReducer(file, cwdFromOut, state, rewriteReducers)
  for await (const lines of readLedgerLines(file)) {
    for (const line of lines) applyLine(line)
    yield state.text
    state.text = ''
  }
  flushCompacted(state)
  yield state.text
}

interface RewriteState {
  readonly latest: ReadonlyMap<string, LatestLines>
  /** The text to yield next. */
  text: string
  /** The totals of the current run's entries that were left out so far. */
  compacted: CompactedEntry | undefined
}

const rewriteReducers: LedgerReducers<RewriteState> = {
  run_start(state, entry) {
    flushCompacted(state)
    writeEntry(state, entry)
  },
  run_end: writeEntry,
  document(state, entry, { lineNumber, path }) {
    const { summary, failureLine, confirmation } = state.latest.get(path) ?? {}
    if (lineNumber === summary?.lineNumber) writeEntry(state, withConfirmation(entry, confirmation))
    else if (lineNumber === failureLine) writeEntry(state, entry)
    else addCompacted(state, toTotals(entry), entry.ended_at)
  },
  compacted(state, { totals, at }) {
    addCompacted(state, totals, at)
  },
  damaged(state, line, { path }) {
    if (line.path !== undefined && state.latest.get(path)?.summary === undefined)
      state.text += `${line.text}\n`
  },
}

function writeEntry(state: RewriteState, entry: LedgerEntry): void {
  state.text += `${JSON.stringify(entry)}\n`
}

function addCompacted(state: RewriteState, totals: Totals, at: string): void {
  const { compacted } = state
  state.compacted = {
    type: 'compacted',
    format_version: ledgerFormatVersion,
    at: compacted !== undefined && compacted.at > at ? compacted.at : at,
    totals: compacted === undefined ? totals : addTotals(compacted.totals, totals),
  }
}

function flushCompacted(state: RewriteState): void {
  if (state.compacted !== undefined) writeEntry(state, state.compacted)
  state.compacted = undefined
}

/** Returns the entry of a summary, with the size, time, settings hash and file of the last confirmation. */
function withConfirmation(entry: DocumentEntry, confirmation: UnchangedEntry | undefined): DocumentEntry {
  if (confirmation === undefined) return entry
  const { mtime_ms: _, ...others } = entry
  const { size_bytes, mtime_ms, settings_hash, output } = confirmation
  return {
    ...others,
    size_bytes,
    ...(mtime_ms !== undefined && { mtime_ms }),
    settings_hash,
    ...(output !== undefined && others.output !== undefined && { output: { ...others.output, ...output } }),
  }
}
