import { dirname, resolve } from 'node:path'
import { rebasePath } from '../../core/document/document-path.ts'
import { isOutputOf, summarySuffix } from '../../core/document/output-path.ts'
import {
  type DamagedEntry,
  type DocumentEntry,
  type LedgerEntry,
  type OutputFile,
  parseLedgerEntry,
  type RunEnd,
  type RunStart,
  type UnchangedEntry,
} from '../../core/run/ledger-entry.ts'
import { ExitError } from '../../errors.ts'
import { readLines } from '../fs/read-lines.ts'

/** The memory of an output folder: what was done, for what content. */
export interface Ledger {
  /** The latest good summary of each document, by the document's path. */
  readonly summaries: Map<string, KnownSummary>
  /** Documents that were last left without what was asked for them, whether or not they have an earlier summary. */
  readonly unfinishedPaths: ReadonlySet<string>
  /** Lines that cannot be read, by their paths where those can; but for paths that have a good line after all. */
  readonly damaged: {
    readonly count: number
    readonly paths: ReadonlySet<string>
    /** Of their summaries, as far as they can be made out, by path: the beginning at least. */
    readonly hashesByPath: ReadonlyMap<string, string>
  }
  /** Of the damaged lines, those that do not even tell what they were about. */
  readonly unattributedLines: number
  /** The last one. */
  readonly lastRun: RunStart | undefined
  /** The last end of a run. */
  readonly lastEnd: RunEnd | undefined
  /** How many lines it has, and how many of them say something that no later one does. */
  readonly lineCount: number
  readonly liveLineCount: number
}

export interface KnownSummary {
  /** Of the document when it was last found to be the one that was summarized. */
  readonly size: number
  readonly mtime: number | undefined
  readonly settingsHash: string
  readonly requestHash: string
  /** Of its summary when it was written. */
  readonly output: Omit<OutputFile, 'file'>
  /** Where that is; undefined where it is simply the path with the suffix, as for nearly all of them. */
  readonly file: string | undefined
  /** No run can have given the document's summary that name: the file is someone else's. */
  readonly isMisnamed?: true
  /** Why it may be worth a look. */
  readonly doubts?: readonly string[]
  /** The run that made it. */
  readonly run: RunStart | undefined
}

/** Whether what was made is a digest of summaries, and no summary itself. @param prompt `digest@v1` */
export function isDigest(prompt: string | undefined): boolean {
  return prompt?.startsWith('digest@') === true
}

/** Looks at a line of the ledger about a document. */
export type OnDocumentEntry = (line: DocumentEntry, path: string, run: RunStart | undefined) => void

/** Where a document's summary is, below the output folder. */
export function locateSummary(path: string, { file }: KnownSummary): string {
  return file ?? path + summarySuffix
}

/**
 * Reads a ledger; one that is not there is empty.
 * @param cwdFromOut the working directory, as seen from the output folder: all paths are given as seen from it
 * @param onEntry is called with every line about a document, its path relative to the working directory, and the run that wrote it
 * @throws RunError `usage` where a newer version of this program wrote it, or `ioError`
 */
export async function readLedger(
  file: string,
  cwdFromOut: string,
  onEntry: OnDocumentEntry = () => {},
): Promise<Ledger> {
  const rebase = createPathRebaser(file, cwdFromOut)
  const summaries = new Map<string, KnownSummary>()
  const unfinishedPaths = new Set<string>()
  const damagedPaths = new Set<string>()
  const hashesByPath = new Map<string, string>()
  const cwd = resolveWorkingDirectory(file, cwdFromOut)
  let [lineCount, runLineCount, unattributedLines] = [0, 0, 0]
  let lastRun: RunStart | undefined
  let lastEnd: RunEnd | undefined
  let previous: KnownSummary | undefined
  for await (const entries of readLedgerEntries(file)) {
    for (const entry of entries) {
      lineCount++
      if ('damaged' in entry) {
        if (entry.path === undefined) unattributedLines++
        else {
          const path = rebase(lastRun, entry.path)
          damagedPaths.add(path)
          if (entry.summaryHash !== undefined) hashesByPath.set(path, entry.summaryHash)
        }
      } else if ('run' in entry || 'ended' in entry || 'dropped' in entry) {
        runLineCount++
        if ('run' in entry) lastRun = entry
        if ('ended' in entry) lastEnd = entry
      } else {
        const path = rebase(lastRun, entry.path)
        unfinishedPaths.delete(path)
        if (entry.status === 'pruned') summaries.delete(path)
        if (entry.status === 'unchanged') applyUnchanged(summaries, path, entry)
        if (entry.status === 'pruned' || entry.status === 'unchanged') continue
        onEntry(entry, path, lastRun)
        if (isSummarized(entry)) {
          previous = toKnownSummary(entry, path, cwd, lastRun, previous)
          summaries.set(path, previous)
        } else unfinishedPaths.add(path)
      }
    }
  }
  for (const path of summaries.keys()) damagedPaths.delete(path)
  const liveLineCount = summaries.size + unfinishedPaths.size + runLineCount
  return {
    summaries,
    unfinishedPaths,
    damaged: { count: unattributedLines + damagedPaths.size, paths: damagedPaths, hashesByPath },
    unattributedLines,
    lastRun,
    lastEnd,
    lineCount,
    liveLineCount,
  }
}

/**
 * Paths are relative to the working directory of the run that wrote them: gives them as seen from one that is `here`,
 * as seen from the output folder.
 */
export function createPathRebaser(
  file: string,
  cwdFromOut: string,
): (run: RunStart | undefined, path: string) => string {
  const out = dirname(dirname(file))
  return (run, path) => rebasePath(out, cwdFromOut, run?.base ?? cwdFromOut, path)
}

/** An absolute working directory, from what it is as seen from a ledger's output folder. */
export function resolveWorkingDirectory(file: string, cwdFromOut: string): string {
  return resolve(dirname(dirname(file)), cwdFromOut)
}

/** The lines as they are, many together. @throws RunError `usage` where one is of a newer version, or `ioError` */
export async function* readLedgerEntries(file: string): AsyncGenerator<(LedgerEntry | DamagedEntry)[]> {
  for await (const texts of readLines(file)) {
    const entries: (LedgerEntry | DamagedEntry)[] = []
    for (const text of texts) {
      if (text === '') continue
      const entry = parseLedgerEntry(text)
      if ('newer' in entry) throw newerFormatError(file, entry.newer)
      entries.push(entry)
    }
    yield entries
  }
}

/** What is of a newer version of the format may mean something else than we would take it for. */
export function newerFormatError(file: string, version: number): ExitError {
  return new ExitError(
    'usage',
    `${file} was written by a newer claude-batch (its format is ${version}); use that one, or another --out`,
  )
}

type SummarizedEntry = DocumentEntry & Required<Pick<DocumentEntry, 'size' | 'key' | 'output'>>

/** Whether the line tells of a good summary. */
export function isSummarized(entry: DocumentEntry): entry is SummarizedEntry {
  return entry.status === 'summarized'
}

/**
 * What a line comes to in memory, where there may be a hundred thousand: nothing is kept that is kept elsewhere.
 * @param path that it will be known by
 * @param cwd that the path is relative to
 */
export function toKnownSummary(
  entry: SummarizedEntry,
  path: string,
  cwd: string,
  run: RunStart | undefined,
  previous?: KnownSummary,
): KnownSummary {
  const { size, mtime, key, output } = entry
  const outputStats = { size: output.size, mtime: output.mtime, sha256: output.sha256 }
  const file = output.file === path + summarySuffix ? undefined : output.file
  // One string for all lines in a row that say the same.
  const settingsHash = previous?.settingsHash === entry.recipe ? previous.settingsHash : entry.recipe
  return {
    size,
    mtime,
    settingsHash,
    requestHash: key,
    output: outputStats,
    file,
    ...(file !== undefined && !isOutputOf(file, path, cwd) && ({ isMisnamed: true } as const)),
    run,
    ...(entry.doubts !== undefined && { doubts: entry.doubts }),
  }
}

/** Takes note that a document is still, or again, the one that was summarized. */
export function applyUnchanged(
  summaries: Map<string, KnownSummary>,
  path: string,
  { size, mtime, recipe: settingsHash, key }: UnchangedEntry,
): void {
  const known = summaries.get(path)
  if (known?.requestHash === key) summaries.set(path, { ...known, size, mtime, settingsHash })
}
