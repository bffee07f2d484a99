import { dirname, resolve } from 'node:path'
import { rebasePath } from '../../core/document/document-path.ts'
import type { LedgerEntry, RunStart } from '../../core/run/ledger-entry.ts'
import { ledgerFormatVersion } from '../../core/run/ledger-entry.ts'
import { type DamagedEntry, parseLedgerEntry } from '../../core/run/parse-ledger-entry.ts'
import { ExitError } from '../../errors.ts'
import { readLines } from '../fs/read-lines.ts'

/** A line of a ledger: an entry, or one that cannot be read. */
export type LedgerLine = LedgerEntry | DamagedEntry

/** Where a line is, which the line itself does not say. */
interface LinePosition {
  /** The line's number, from 1; empty lines do not count. */
  readonly lineNumber: number
  /** The run that the line belongs to; undefined before the first. */
  readonly run: RunStart | undefined
  /** The document that the line is about, relative to the caller's working directory; empty where it is about none. */
  readonly path: string
}

/** What each type of line does to a state. A type that has no function leaves the state as it is. */
export type LedgerReducers<State> = {
  readonly [Type in LedgerLine['type']]?: (
    state: State,
    line: Extract<LedgerLine, { readonly type: Type }>,
    position: LinePosition,
  ) => void
}

/**
 * Reads a ledger once, from the first line to the last, and applies each line to `state`, which it returns. All that
 * the program knows from a ledger is read this way. A ledger that does not exist is empty.
 * @param cwdFromOut the working directory, relative to the output folder, that paths are to be relative to; undefined:
 *   each path as its run recorded it
 * @throws ExitError `usage` where another version of claude-batch wrote the ledger, or `ioError`
 */
export async function reduceLedger<State>(
  file: string,
  cwdFromOut: string | undefined,
  state: State,
  reducers: LedgerReducers<State>,
): Promise<State> {
  const applyLine = createLineReducer(file, cwdFromOut, state, reducers)
  for await (const lines of readLedgerLines(file)) for (const line of lines) applyLine(line)
  return state
}

/** The step of {@link reduceLedger}, for a caller that does something between the lines. */
export function createLineReducer<State>(
  file: string,
  cwdFromOut: string | undefined,
  state: State,
  reducers: LedgerReducers<State>,
): (line: LedgerLine) => void {
  const rebase = createPathRebaser(file, cwdFromOut)
  let run: RunStart | undefined
  let lineNumber = 0
  return (line) => {
    lineNumber++
    if (line.type === 'run_start') run = line
    const reduce = reducers[line.type] as
      | ((state: State, line: LedgerLine, position: LinePosition) => void)
      | undefined
    if (reduce === undefined) return
    const path = 'path' in line && line.path !== undefined ? rebase(run, line.path) : ''
    reduce(state, line, { lineNumber, run, path })
  }
}

/** The lines of a ledger, many at a time. @throws ExitError as {@link reduceLedger} */
export async function* readLedgerLines(file: string): AsyncGenerator<LedgerLine[]> {
  for await (const texts of readLines(file)) {
    const lines: LedgerLine[] = []
    for (const text of texts) {
      if (text === '') continue
      const line = parseLedgerEntry(text)
      if (line.type === 'other_version') throw otherVersionError(file, line.formatVersion)
      lines.push(line)
    }
    yield lines
  }
}

/** The error about a file whose format this version does not read: its entries might mean something else. */
export function otherVersionError(
  file: string,
  formatVersion: number,
  currentVersion: number = ledgerFormatVersion,
): ExitError {
  return new ExitError(
    'usage',
    formatVersion > currentVersion
      ? `${file} was written by a newer claude-batch (its format is ${formatVersion}); use that one, or another --out`
      : `${file} was written by an older claude-batch (its format is ${formatVersion}, this version reads ${currentVersion}); use another --out`,
  )
}

/**
 * Returns a function that gives the path of a run's document relative to another working directory.
 * @param cwdFromOut that directory, relative to the output folder; undefined: paths stay as they are
 */
export function createPathRebaser(
  file: string,
  cwdFromOut: string | undefined,
): (run: RunStart | undefined, path: string) => string {
  if (cwdFromOut === undefined) return (_run, path) => path
  const out = dirname(dirname(file))
  return (run, path) => rebasePath(out, cwdFromOut, run?.cwd ?? cwdFromOut, path)
}

/** An absolute working directory, from what it is relative to the output folder of a ledger. */
export function resolveWorkingDirectory(file: string, cwdFromOut: string): string {
  return resolve(dirname(dirname(file)), cwdFromOut)
}
