import { resolve } from 'node:path'
import { toDocumentPath } from '../../core/document/document-path.ts'
import { isOutputOf } from '../../core/document/output-path.ts'
import { addTotals, emptyTotals, type Totals, toTotals } from '../../core/pricing/totals.ts'
import {
  type CompactedEntry,
  type DocumentEntry,
  isSummarized,
  type OutputFile,
  type RunEnd,
  type RunStart,
} from '../../core/run/ledger-entry.ts'
import { hashText } from '../fs/file-hash.ts'
import { toEntryId } from '../ledger/journal.ts'
import { applyUnchanged, type KnownSummary, toKnownSummary } from '../ledger/known-summary.ts'
import { type LedgerLine, type LedgerReducers, reduceLedger } from '../ledger/reduce-ledger.ts'
import { ledgerPath } from '../output-folder.ts'

/** What a merge keeps in memory of the ledger of one folder. It keeps no texts. */
export interface FolderHistory {
  /** The folder as the user typed it, for messages. */
  readonly name: string
  /** The folder; absolute. */
  readonly out: string
  /** What identifies each line, except the totals of compacted entries; see {@link toLineId}. */
  readonly lineIds: ReadonlySet<string>
  /** The state of each document by its path, relative to the working directory. */
  readonly documents: ReadonlyMap<string, DocumentState>
  /** The lines of each run that count: `''` for those before the first run start. */
  readonly runs: ReadonlyMap<string, RunCopy>
  /** The run of each segment, in order. A segment begins with a run start. */
  readonly segments: readonly string[]
  readonly damagedLines: number
  readonly lastRun: RunStart | undefined
  readonly lastEnd: RunEnd | undefined
}

/** The state of a document in one folder. */
export interface DocumentState {
  /** The last line about the document. */
  readonly tip: { readonly id: string; readonly run: string; readonly at: string }
  /** Undefined if the document has no summary, or if it was pruned. */
  readonly summary?: { readonly id: string; readonly endedAt: string; readonly known: KnownSummary }
  /** The failure of the document in its last run. */
  readonly failure?: {
    readonly id: string
    /** The error record, if its name is one that the document can have. */
    readonly record?: OutputFile
  }
}

/** What a folder has of a run. */
interface RunCopy {
  readonly totals: Totals
  readonly compacted: readonly CompactedEntry[]
}

/** What all folders of a merge have in common. */
export interface SharedHistory {
  /** The working directory; absolute. */
  readonly cwd: string
  /**
   * The start of each run, and its working directory, which is absolute. A folder that was moved after it was merged
   * would change the directory. So that of the first folder with the run counts.
   */
  readonly runs: Map<string, { readonly start: RunStart; readonly cwd: string }>
  /** The totals of the documents in each run. A document that several folders have counts once. */
  readonly totals: Map<string, Totals>
  /** The ids of the documents in `totals`. */
  readonly countedIds: Set<string>
}

/** Creates the history that the folders of a merge share. @param cwd the working directory; absolute */
export function createSharedHistory(cwd: string): SharedHistory {
  return { cwd, runs: new Map(), totals: new Map(), countedIds: new Set() }
}

/**
 * Reads the ledger of a folder that is merged.
 * @param name of the folder, for messages
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
 */
export async function readFolderHistory(
  name: string,
  out: string,
  shared: SharedHistory,
): Promise<FolderHistory> {
  const state: HistoryState = {
    name,
    out,
    shared,
    lineIds: new Set(),
    documents: new Map(),
    runs: new Map(),
    segments: [],
    damagedLines: 0,
    lastRun: undefined,
    lastEnd: undefined,
    previous: undefined,
  }
  return reduceLedger(ledgerPath(out), undefined, state, historyReducers)
}

/** Returns what identifies a line in all copies of its ledger. @param run the id of its run */
export function toLineId(run: string, line: LedgerLine): string {
  switch (line.type) {
    case 'document':
      return `${run} document ${toEntryId(line)}`
    case 'unchanged':
    case 'pruned':
      return `${run} ${line.type} ${line.at} ${line.path}`
    case 'run_end':
      return `${run} run_end ${line.ended_at}`
    case 'run_start':
      return `${run} run_start`
    case 'compacted':
      return `${run} compacted ${JSON.stringify(line)}`
    case 'damaged':
      return `${run} damaged ${hashText(line.text)}`
  }
}

/**
 * Returns the path of a line's document, relative to the working directory of the merge.
 * @param run the id of the line's run
 */
export function resolveDocumentPath(run: string, path: string, { runs, cwd }: SharedHistory): string {
  return path === '-' ? path : toDocumentPath(resolve(runs.get(run)?.cwd ?? cwd, path), cwd)
}

interface HistoryState extends FolderHistory {
  readonly shared: SharedHistory
  readonly lineIds: Set<string>
  readonly documents: Map<string, DocumentState>
  readonly runs: Map<string, { totals: Totals; readonly compacted: CompactedEntry[] }>
  readonly segments: string[]
  damagedLines: number
  lastRun: RunStart | undefined
  lastEnd: RunEnd | undefined
  /** The summary of the previous entry, whose strings the next one shares. */
  previous: KnownSummary | undefined
}

const historyReducers: LedgerReducers<HistoryState> = {
  run_start(state, start) {
    const { shared, out } = state
    if (!shared.runs.has(start.run_id)) shared.runs.set(start.run_id, { start, cwd: resolve(out, start.cwd) })
    state.lastRun = start
    state.segments.push(start.run_id)
    addToRun(state, start.run_id, emptyTotals)
  },
  run_end(state, end, { run }) {
    addLine(state, end, run)
    state.lastEnd = end
  },
  document(state, entry, { run }) {
    const line = addLine(state, entry, run)
    const path = resolveDocumentPath(line.run, entry.path, state.shared)
    const totals = toTotals(entry)
    addToRun(state, line.run, totals)
    countOnce(state.shared, line, totals)
    const tip = { ...line, at: entry.ended_at }
    if (isSummarized(entry)) {
      state.previous = toKnownSummary(entry, path, state.shared.cwd, run, state.previous)
      const summary = { id: line.id, endedAt: entry.ended_at, known: state.previous }
      state.documents.set(path, { tip, summary })
    } else {
      const { summary } = state.documents.get(path) ?? {}
      state.documents.set(path, {
        tip,
        ...(summary && { summary }),
        failure: { id: line.id, ...findRecord(entry, path, state.shared.cwd) },
      })
    }
  },
  unchanged(state, entry, { run }) {
    const line = addLine(state, entry, run)
    const path = resolveDocumentPath(line.run, entry.path, state.shared)
    const { summary } = state.documents.get(path) ?? {}
    const summaries = new Map(summary && [[path, summary.known]])
    applyUnchanged(summaries, path, entry)
    const known = summaries.get(path)
    state.documents.set(path, {
      tip: { ...line, at: entry.at },
      ...(summary && known && { summary: { ...summary, known } }),
    })
  },
  pruned(state, entry, { run }) {
    const line = addLine(state, entry, run)
    const path = resolveDocumentPath(line.run, entry.path, state.shared)
    state.documents.set(path, { tip: { ...line, at: entry.at } })
  },
  compacted(state, entry, { run }) {
    // Before the first run start, nothing shows which totals belong together. Each is then a line like any other.
    if (run === undefined) addLine(state, entry, run)
    else addToRun(state, run.run_id, entry.totals, entry)
  },
  damaged(state, line, { run }) {
    addLine(state, line, run)
    state.damagedLines++
  },
}

function addLine(
  { lineIds, segments }: HistoryState,
  line: LedgerLine,
  run: RunStart | undefined,
): { readonly id: string; readonly run: string } {
  if (segments.length === 0) segments.push('')
  const runId = run?.run_id ?? ''
  const id = toLineId(runId, line)
  lineIds.add(id)
  return { id, run: runId }
}

function addToRun({ runs }: HistoryState, run: string, added: Totals, compactedEntry?: CompactedEntry): void {
  const copy = runs.get(run) ?? { totals: emptyTotals, compacted: [] }
  copy.totals = addTotals(copy.totals, added)
  if (compactedEntry !== undefined) copy.compacted.push(compactedEntry)
  runs.set(run, copy)
}

function countOnce(
  { totals, countedIds }: SharedHistory,
  { id, run }: { readonly id: string; readonly run: string },
  added: Totals,
): void {
  if (countedIds.has(id)) return
  countedIds.add(id)
  totals.set(run, addTotals(totals.get(run) ?? emptyTotals, added))
}

function findRecord({ output }: DocumentEntry, path: string, cwd: string): { readonly record?: OutputFile } {
  return output !== undefined && isOutputOf(output.path, path, cwd) ? { record: output } : {}
}
