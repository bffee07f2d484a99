import { type DocumentEntry, isSummarized, type RunEnd, type RunStart } from '../../core/run/ledger-entry.ts'
import { type KnownFailure, toKnownFailure } from './known-failure.ts'
import { applyUnchanged, type KnownSummary, toKnownSummary } from './known-summary.ts'
import { type LedgerReducers, reduceLedger, resolveWorkingDirectory } from './reduce-ledger.ts'

/** The state of the documents of an output folder, from its ledger. */
export interface Ledger {
  /** The latest summary of each document, by the document's path. */
  readonly summaries: Map<string, KnownSummary>
  /**
   * The settings hashes of documents that failed or were left pending in their last run, with or without an
   * earlier summary, by the document's path.
   */
  readonly unfinishedPaths: ReadonlyMap<string, string>
  /** The failures of the unfinished documents that failed, by the document's path. */
  readonly failures: ReadonlyMap<string, KnownFailure>
  /** Damaged lines, except lines about documents that have a summary in another line. */
  readonly damaged: {
    readonly count: number
    /** The documents of the damaged lines, where legible. */
    readonly paths: ReadonlySet<string>
    /** The hashes of these documents' summaries, by path, where legible; a hash may be cut off. */
    readonly hashesByPath: ReadonlyMap<string, string>
  }
  /** How many damaged lines have no legible document path. */
  readonly unattributedLines: number
  readonly lastRun: RunStart | undefined
  readonly lastEnd: RunEnd | undefined
  /** How many lines the ledger has, and how many of them are not superseded by a later line. */
  readonly lineCount: number
  readonly liveLineCount: number
}

/**
 * Called with a document's entry, its path relative to the working directory, and the run that wrote the
 * entry.
 */
export type OnDocumentEntry = (entry: DocumentEntry, path: string, run: RunStart | undefined) => void

/**
 * Reads the state of an output folder from its ledger; a ledger that does not exist is empty.
 * @param cwdFromOut the working directory, relative to the output folder; all paths are relative to this
 *   directory
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
 */
export async function readLedger(
  file: string,
  cwdFromOut: string,
  onEntry: OnDocumentEntry = () => {},
): Promise<Ledger> {
  const state: LedgerState = {
    cwd: resolveWorkingDirectory(file, cwdFromOut),
    onEntry,
    summaries: new Map(),
    unfinishedPaths: new Map(),
    failures: new Map(),
    damagedPaths: new Set(),
    hashesByPath: new Map(),
    unattributedLines: 0,
    lineCount: 0,
    runLineCount: 0,
    lastRun: undefined,
    lastEnd: undefined,
    previous: undefined,
  }
  await reduceLedger(file, cwdFromOut, state, ledgerReducers)
  const { summaries, unfinishedPaths, failures, damagedPaths, hashesByPath, unattributedLines } = state
  for (const path of summaries.keys()) damagedPaths.delete(path)
  return {
    summaries,
    unfinishedPaths,
    failures,
    damaged: { count: unattributedLines + damagedPaths.size, paths: damagedPaths, hashesByPath },
    unattributedLines,
    lastRun: state.lastRun,
    lastEnd: state.lastEnd,
    lineCount: state.lineCount,
    liveLineCount: summaries.size + unfinishedPaths.size + state.runLineCount,
  }
}

interface LedgerState {
  readonly cwd: string
  readonly onEntry: OnDocumentEntry
  readonly summaries: Map<string, KnownSummary>
  readonly unfinishedPaths: Map<string, string>
  readonly failures: Map<string, KnownFailure>
  readonly damagedPaths: Set<string>
  readonly hashesByPath: Map<string, string>
  unattributedLines: number
  lineCount: number
  /** How many lines are about runs; these are never superseded. */
  runLineCount: number
  lastRun: RunStart | undefined
  lastEnd: RunEnd | undefined
  /** The summary of the previous entry, whose strings the next one shares. */
  previous: KnownSummary | undefined
}

const ledgerReducers: LedgerReducers<LedgerState> = {
  run_start(state, entry, { lineNumber }) {
    state.lineCount = lineNumber
    state.runLineCount++
    state.lastRun = entry
  },
  run_end(state, entry, { lineNumber }) {
    state.lineCount = lineNumber
    state.runLineCount++
    state.lastEnd = entry
  },
  compacted(state, _entry, { lineNumber }) {
    state.lineCount = lineNumber
    state.runLineCount++
  },
  document(state, entry, { lineNumber, path, run }) {
    state.lineCount = lineNumber
    state.unfinishedPaths.delete(path)
    state.failures.delete(path)
    state.onEntry(entry, path, run)
    if (isSummarized(entry)) {
      state.previous = toKnownSummary(entry, path, state.cwd, run, state.previous)
      state.summaries.set(path, state.previous)
    } else {
      state.unfinishedPaths.set(path, entry.settings_hash)
      if (entry.status === 'failed') state.failures.set(path, toKnownFailure(entry, run))
    }
  },
  unchanged(state, entry, { lineNumber, path }) {
    state.lineCount = lineNumber
    state.unfinishedPaths.delete(path)
    state.failures.delete(path)
    applyUnchanged(state.summaries, path, entry)
  },
  pruned(state, _entry, { lineNumber, path }) {
    state.lineCount = lineNumber
    state.unfinishedPaths.delete(path)
    state.failures.delete(path)
    state.summaries.delete(path)
  },
  damaged(state, line, { lineNumber, path }) {
    state.lineCount = lineNumber
    if (line.path === undefined) state.unattributedLines++
    else {
      state.damagedPaths.add(path)
      if (line.summaryHash !== undefined) state.hashesByPath.set(path, line.summaryHash)
    }
  },
}
