import { type DocumentEntry, isSummarized, type RunEnd, type RunStart } from '../../core/run/ledger-entry.ts'
import { applyUnchanged, type KnownSummary, toKnownSummary } from './known-summary.ts'
import { type LedgerReducers, reduceLedger, resolveWorkingDirectory } from './reduce-ledger.ts'

/** What a ledger says about the documents of an output folder. */
export interface Ledger {
  /** The latest summary of each document, by the document's path. */
  readonly summaries: Map<string, KnownSummary>
  /** Documents whose last run failed or did not finish them, whether or not they have an earlier summary. */
  readonly unfinishedPaths: ReadonlySet<string>
  /** Those of them that failed: they have an error record. */
  readonly failedPaths: ReadonlySet<string>
  /** Lines that cannot be read, by their documents where those are legible, except documents that have a summary after all. */
  readonly damaged: {
    readonly count: number
    readonly paths: ReadonlySet<string>
    /** The hashes of their summaries, as far as they are legible, by path: at least the beginning. */
    readonly hashesByPath: ReadonlyMap<string, string>
  }
  /** Damaged lines whose document is not legible. */
  readonly unattributedLines: number
  readonly lastRun: RunStart | undefined
  readonly lastEnd: RunEnd | undefined
  /** How many lines the ledger has, and how many of them no later line supersedes. */
  readonly lineCount: number
  readonly liveLineCount: number
}

/** Called with an entry about a document, its path relative to the working directory, and the run that wrote it. */
export type OnDocumentEntry = (entry: DocumentEntry, path: string, run: RunStart | undefined) => void

/**
 * Reads the state of an output folder from its ledger; a ledger that does not exist is empty.
 * @param cwdFromOut the working directory, relative to the output folder: all paths are relative to it
 * @throws ExitError `usage` where another version of claude-batch wrote it, or `ioError`
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
    unfinishedPaths: new Set(),
    failedPaths: new Set(),
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
  const { summaries, unfinishedPaths, failedPaths, damagedPaths, hashesByPath, unattributedLines } = state
  for (const path of summaries.keys()) damagedPaths.delete(path)
  return {
    summaries,
    unfinishedPaths,
    failedPaths,
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
  readonly unfinishedPaths: Set<string>
  readonly failedPaths: Set<string>
  readonly damagedPaths: Set<string>
  readonly hashesByPath: Map<string, string>
  unattributedLines: number
  lineCount: number
  /** Lines about runs, none of which is ever superseded. */
  runLineCount: number
  lastRun: RunStart | undefined
  lastEnd: RunEnd | undefined
  /** The summary of the line before, whose strings the next one shares. */
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
    state.failedPaths.delete(path)
    state.onEntry(entry, path, run)
    if (isSummarized(entry)) {
      state.previous = toKnownSummary(entry, path, state.cwd, run, state.previous)
      state.summaries.set(path, state.previous)
    } else {
      state.unfinishedPaths.add(path)
      if (entry.status === 'failed') state.failedPaths.add(path)
    }
  },
  unchanged(state, entry, { lineNumber, path }) {
    state.lineCount = lineNumber
    state.unfinishedPaths.delete(path)
    state.failedPaths.delete(path)
    applyUnchanged(state.summaries, path, entry)
  },
  pruned(state, _entry, { lineNumber, path }) {
    state.lineCount = lineNumber
    state.unfinishedPaths.delete(path)
    state.failedPaths.delete(path)
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
