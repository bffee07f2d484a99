import { withoutFrontMatter } from '../../core/document/front-matter.ts'
import { type Account, addAccounts, emptyAccount } from '../../core/pricing/totals.ts'
import type { RecordedRun } from '../../core/report/report-json.ts'
import { type DocumentLine, type EndLine, ledgerVersion, type RunLine } from '../../core/run/ledger-entry.ts'
import { ledgerIn } from '../output-folder.ts'
import { textIn } from './latest-results.ts'
import { pathsSeenFrom, readLedgerLines } from './ledger.ts'

/**
 * The runs that an output folder remembers, in order.
 * @param here the working directory, as seen from the output folder: all paths are given as seen from it; undefined: as
 * each run knew them
 * @throws RunError `usage` where a newer version of this program wrote it, or `io`
 */
export async function recordedRuns(out: string, here: string | undefined): Promise<RecordedRun[]> {
  const file = ledgerIn(out)
  const pathOf = here === undefined ? (_: unknown, path: string) => path : pathsSeenFrom(file, here)
  const runs = new Map<string, Recorded>()
  let run: RunLine | undefined
  // What was finished for a run that was killed follows a later line of the same run.
  const current = (line: { time: string }) => {
    const at = run ?? { ...nameless, time: line.time }
    const known = runs.get(at.run)
    if (known !== undefined) return known
    const fresh: Recorded = { run: at, lines: [], dropped: emptyAccount }
    runs.set(at.run, fresh)
    return fresh
  }
  for await (const together of readLedgerLines(file)) {
    for (const line of together) {
      if ('damaged' in line) continue
      if ('run' in line) {
        run = line
        current(line)
      } else if ('ended' in line) current(line).end = line
      else if ('dropped' in line) {
        const to = current(line)
        to.dropped = addAccounts(to.dropped, line.dropped)
      } else if (line.status !== 'unchanged' && line.status !== 'pruned')
        current(line).lines.push({ ...line, path: pathOf(run, line.path) })
    }
  }
  return [...runs.values()]
}

/** A {@link RecordedRun} that is being read. */
interface Recorded {
  readonly run: RunLine
  readonly lines: DocumentLine[]
  end?: EndLine
  dropped: Account
}

/** Whose first line is lost. */
const nameless = {
  v: ledgerVersion,
  run: 'unknown',
  version: '',
  base: '',
  prompt: 'unknown',
  model: 'unknown',
}

/** The summaries and records that lines tell of, by the documents' paths; without those that are gone. */
export async function textsOf(
  out: string,
  lines: Iterable<DocumentLine>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for (const line of lines) {
    const { path, output } = line
    const text = output && (await textIn(out, output.file))
    if (text !== undefined) texts.set(path, withoutFrontMatter(text, line))
  }
  return texts
}
