import { stripFrontMatter } from '../../core/document/front-matter.ts'
import { addTotals, emptyTotals, type Totals } from '../../core/pricing/totals.ts'
import type { RecordedRun } from '../../core/report/report-json.ts'
import {
  type DocumentEntry,
  ledgerFormatVersion,
  type RunEnd,
  type RunStart,
} from '../../core/run/ledger-entry.ts'
import { ledgerPath } from '../output-folder.ts'
import { readOutputText } from './latest-results.ts'
import { createPathRebaser, readLedgerEntries } from './read-ledger.ts'

/**
 * The runs that an output folder remembers, in order.
 * @param cwdFromOut the working directory, as seen from the output folder: all paths are given as seen from it; undefined: as
 * each run knew them
 * @throws RunError `usage` where a newer version of this program wrote it, or `ioError`
 */
export async function readRecordedRuns(out: string, cwdFromOut: string | undefined): Promise<RecordedRun[]> {
  const file = ledgerPath(out)
  const rebase =
    cwdFromOut === undefined ? (_: unknown, path: string) => path : createPathRebaser(file, cwdFromOut)
  const runs = new Map<string, UnfinishedRecordedRun>()
  let run: RunStart | undefined
  // What was finished for a run that was killed follows a later line of the same run.
  const findOrAddRun = (line: { time: string }) => {
    const currentRun = run ?? { ...unknownRun, time: line.time }
    const known = runs.get(currentRun.run)
    if (known !== undefined) return known
    const added: UnfinishedRecordedRun = { start: currentRun, entries: [], compacted: emptyTotals }
    runs.set(currentRun.run, added)
    return added
  }
  for await (const entries of readLedgerEntries(file)) {
    for (const line of entries) {
      if ('damaged' in line) continue
      if ('run' in line) {
        run = line
        findOrAddRun(line)
      } else if ('ended' in line) findOrAddRun(line).end = line
      else if ('dropped' in line) {
        const current = findOrAddRun(line)
        current.compacted = addTotals(current.compacted, line.dropped)
      } else if (line.status !== 'unchanged' && line.status !== 'pruned')
        findOrAddRun(line).entries.push({ ...line, path: rebase(run, line.path) })
    }
  }
  return [...runs.values()]
}

/** A {@link RecordedRun} that is being read. */
interface UnfinishedRecordedRun {
  readonly start: RunStart
  readonly entries: DocumentEntry[]
  end?: RunEnd
  compacted: Totals
}

/** Whose first line is lost. */
const unknownRun = {
  v: ledgerFormatVersion,
  run: 'unknown',
  version: '',
  base: '',
  prompt: 'unknown',
  model: 'unknown',
}

/** The summaries and records that lines tell of, by the documents' paths; without those that are gone. */
export async function readTexts(
  out: string,
  entries: Iterable<DocumentEntry>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for (const entry of entries) {
    const { path, output } = entry
    const text = output && (await readOutputText(out, output.file))
    if (text !== undefined) texts.set(path, stripFrontMatter(text, entry))
  }
  return texts
}
