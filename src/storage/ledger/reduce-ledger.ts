import { dirname, resolve } from 'node:path'
import { rebasePath } from '../../core/document/document-path.ts'
import type { LedgerEntry, RunStart } from '../../core/run/ledger-entry.ts'
import { ledgerFormatVersion } from '../../core/run/ledger-entry.ts'
import { type DamagedEntry, parseLedgerEntry } from '../../core/run/parse-ledger-entry.ts'
import { ExitError } from '../../errors.ts'
import { readLines } from '../fs/read-lines.ts'

/** A line of a ledger: an entry, or a damaged line. */
export type LedgerLine = LedgerEntry | DamagedEntry

/** The context of a line. */
interface LinePosition {
  /** The line's number, from 1; empty lines do not count. */
  readonly lineNumber: number
  /** The run that the line belongs to; undefined before the first run start. */
  readonly run: RunStart | undefined
  /**
   * The path of the line's document, relative to the caller's working directory; empty if the line has none.
   */
  readonly path: string
}

/** The functions that apply each type of line to a state. Lines of a type without a function are ignored. */
export type LedgerReducers<State> = {
  readonly [Type in LedgerLine['type']]?: (
    state: State,
    line: Extract<LedgerLine, { readonly type: Type }>,
    position: LinePosition,
  ) => void
}

/**
 * Reads a ledger from the first line to the last, applies each line to `state`, and returns `state`. Every
 * reader of the ledger uses this function. A ledger that does not exist is empty.
 * @param cwdFromOut the working directory, relative to the output folder; all paths are relative to this
 *   directory. If undefined, paths are as each run recorded them.
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
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

/** Returns the step function of {@link reduceLedger}, for callers that do other work between the lines. */
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

/** Yields the lines of a ledger, in groups. @throws ExitError like {@link reduceLedger} */
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

/** Returns the error for a file in another format version, whose entries may have another meaning. */
export function otherVersionError(
  file: string,
  formatVersion: number,
  currentVersion: number = ledgerFormatVersion,
): ExitError {
  return new ExitError(
    'usage',
    formatVersion > currentVersion
      ? `${file} was written by a newer claude-batch (format ${formatVersion}); update claude-batch, or use another --out`
      : `${file} was written by an older claude-batch (format ${formatVersion}, this version reads ${currentVersion}); use another --out`,
  )
}

/**
 * Returns a function that converts the path of a run's document so that it is relative to another working
 * directory.
 * @param cwdFromOut that directory, relative to the output folder; if undefined, paths are not changed
 */
export function createPathRebaser(
  file: string,
  cwdFromOut: string | undefined,
): (run: RunStart | undefined, path: string) => string {
  if (cwdFromOut === undefined) return (_run, path) => path
  const out = dirname(dirname(file))
  return (run, path) => rebasePath(out, cwdFromOut, run?.cwd ?? cwdFromOut, path)
}

/**
 * Returns the absolute path of a working directory.
 * @param cwdFromOut relative to the ledger's output folder
 */
export function resolveWorkingDirectory(file: string, cwdFromOut: string): string {
  return resolve(dirname(dirname(file)), cwdFromOut)
}
