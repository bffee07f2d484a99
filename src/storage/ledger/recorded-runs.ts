import { stripFrontMatter } from '../../core/document/front-matter.ts'
import { addTotals, emptyTotals, type Totals } from '../../core/pricing/totals.ts'
import type { RecordedRun } from '../../core/report/recorded-run.ts'
import {
  type DocumentEntry,
  ledgerFormatVersion,
  type RunEnd,
  type RunStart,
} from '../../core/run/ledger-entry.ts'
import { ledgerPath } from '../output-folder.ts'
import { readOutputText } from './latest-results.ts'
import { type LedgerReducers, reduceLedger } from './reduce-ledger.ts'

/**
 * Reads the runs in an output folder's ledger, in order.
 * @param cwdFromOut the working directory, relative to the output folder; all paths are relative to this
 *   directory. If undefined, paths are as each run recorded them.
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
 */
export async function readRecordedRuns(out: string, cwdFromOut: string | undefined): Promise<RecordedRun[]> {
  const runs = await reduceLedger<RunsById>(ledgerPath(out), cwdFromOut, new Map(), runReducers)
  return [...runs.values()]
}

/** A {@link RecordedRun} while the ledger is being read. */
interface UnfinishedRecordedRun {
  readonly start: RunStart
  readonly entries: DocumentEntry[]
  end?: RunEnd
  compacted: Totals
  readonly unchanged: string[]
  readonly pruned: string[]
}

type RunsById = Map<string, UnfinishedRecordedRun>

const runReducers: LedgerReducers<RunsById> = {
  run_start(runs, start) {
    findOrAddRun(runs, start)
  },
  run_end(runs, end, { run }) {
    findOrAddRun(runs, run ?? unknownRun(end.ended_at)).end = end
  },
  document(runs, entry, { run, path }) {
    findOrAddRun(runs, run ?? unknownRun(entry.ended_at)).entries.push({ ...entry, path })
  },
  unchanged(runs, { at }, { run, path }) {
    findOrAddRun(runs, run ?? unknownRun(at)).unchanged.push(path)
  },
  pruned(runs, { at }, { run, path }) {
    findOrAddRun(runs, run ?? unknownRun(at)).pruned.push(path)
  },
  compacted(runs, { at, totals }, { run }) {
    const current = findOrAddRun(runs, run ?? unknownRun(at))
    current.compacted = addTotals(current.compacted, totals)
  },
}

/**
 * Returns the run with this start. Recovered documents of a killed run follow a second start entry of the
 * same run.
 */
function findOrAddRun(runs: RunsById, start: RunStart): UnfinishedRecordedRun {
  const known = runs.get(start.run_id)
  if (known !== undefined) return known
  const added: UnfinishedRecordedRun = {
    start,
    entries: [],
    compacted: emptyTotals,
    unchanged: [],
    pruned: [],
  }
  runs.set(start.run_id, added)
  return added
}

/** Returns a start for entries of a run whose start entry is lost. */
function unknownRun(startedAt: string): RunStart {
  return {
    type: 'run_start',
    format_version: ledgerFormatVersion,
    run_id: 'unknown',
    started_at: startedAt,
    program_version: '',
    cwd: '',
    prompt: 'unknown',
    model: 'unknown',
  }
}

/**
 * Reads the summaries and error records of ledger entries, by document path; leaves out files that are
 * missing.
 */
export async function readTexts(
  out: string,
  entries: Iterable<DocumentEntry>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for (const entry of entries) {
    const { path, output } = entry
    const text = output && (await readOutputText(out, output.path))
    if (text !== undefined) texts.set(path, stripFrontMatter(text, entry))
  }
  return texts
}
