import { dirname, resolve } from 'node:path'
import { seenFrom } from '../../core/document/document-path.ts'
import { isOutputOf, summarySuffix } from '../../core/document/output-path.ts'
import {
  type DamagedLine,
  type DocumentLine,
  type EndLine,
  type LedgerLine,
  type Output,
  parseLine,
  type RunLine,
  type UnchangedLine,
} from '../../core/run/ledger-entry.ts'
import { RunError } from '../../errors.ts'
import { readLines } from '../fs/read-lines.ts'

/** The memory of an output folder: what was done, for what content. */
export interface Ledger {
  /** The latest good summary of each document, by the document's path. */
  readonly made: Map<string, Made>
  /** Documents that were last left without what was asked for them, whether or not they have an earlier summary. */
  readonly failing: ReadonlySet<string>
  /** Lines that cannot be read, by their paths where those can; but for paths that have a good line after all. */
  readonly damaged: {
    readonly lines: number
    readonly paths: ReadonlySet<string>
    /** Of their summaries, as far as they can be made out, by path: the beginning at least. */
    readonly hashes: ReadonlyMap<string, string>
  }
  /** Of the damaged lines, those that do not even tell what they were about. */
  readonly illegible: number
  /** The last one. */
  readonly run: RunLine | undefined
  /** The last end of a run. */
  readonly end: EndLine | undefined
  /** How many lines it has, and how many of them say something that no later one does. */
  readonly lines: number
  readonly live: number
}

export interface Made {
  /** Of the document when it was last found to be the one that was summarized. */
  readonly size: number
  readonly mtime: number | undefined
  readonly recipe: string
  readonly key: string
  /** Of its summary when it was written. */
  readonly written: Omit<Output, 'file'>
  /** Where that is; undefined where it is simply the path with the suffix, as for nearly all of them. */
  readonly file: string | undefined
  /** No run can have given the document's summary that name: the file is someone else's. */
  readonly misnamed?: true
  /** Why it may be worth a look. */
  readonly doubts?: readonly string[]
  /** The run that made it. */
  readonly run: RunLine | undefined
}

/** Whether what was made is a digest of summaries, and no summary itself. @param prompt `digest@v1` */
export function isDigest(prompt: string | undefined): boolean {
  return prompt?.startsWith('digest@') === true
}

/** Looks at a line of the ledger about a document. */
export type EachLine = (line: DocumentLine, path: string, run: RunLine | undefined) => void

/** Where a document's summary is, below the output folder. */
export function summaryOf(path: string, { file }: Made): string {
  return file ?? path + summarySuffix
}

/**
 * Reads a ledger; one that is not there is empty.
 * @param here the working directory, as seen from the output folder: all paths are given as seen from it
 * @param each is called with every line about a document, its path relative to the working directory, and the run that wrote it
 * @throws RunError `usage` where a newer version of this program wrote it, or `io`
 */
export async function readLedger(file: string, here: string, each: EachLine = () => {}): Promise<Ledger> {
  const pathOf = pathsSeenFrom(file, here)
  const made = new Map<string, Made>()
  const failing = new Set<string>()
  const damaged = new Set<string>()
  const hashes = new Map<string, string>()
  const cwd = workingDirectory(file, here)
  let [lines, ofRuns, illegible] = [0, 0, 0]
  let run: RunLine | undefined
  let end: EndLine | undefined
  let before: Made | undefined
  for await (const together of readLedgerLines(file)) {
    for (const line of together) {
      lines++
      if ('damaged' in line) {
        if (line.path === undefined) illegible++
        else {
          const path = pathOf(run, line.path)
          damaged.add(path)
          if (line.hash !== undefined) hashes.set(path, line.hash)
        }
      } else if ('run' in line || 'ended' in line || 'dropped' in line) {
        ofRuns++
        if ('run' in line) run = line
        if ('ended' in line) end = line
      } else {
        const path = pathOf(run, line.path)
        failing.delete(path)
        if (line.status === 'pruned') made.delete(path)
        if (line.status === 'unchanged') refresh(made, path, line)
        if (line.status === 'pruned' || line.status === 'unchanged') continue
        each(line, path, run)
        if (isMade(line)) {
          before = madeOf(line, path, cwd, run, before)
          made.set(path, before)
        } else failing.add(path)
      }
    }
  }
  for (const path of made.keys()) damaged.delete(path)
  const live = made.size + failing.size + ofRuns
  return {
    made,
    failing,
    damaged: { lines: illegible + damaged.size, paths: damaged, hashes },
    illegible,
    run,
    end,
    lines,
    live,
  }
}

/**
 * Paths are relative to the working directory of the run that wrote them: gives them as seen from one that is `here`,
 * as seen from the output folder.
 */
export function pathsSeenFrom(
  file: string,
  here: string,
): (run: RunLine | undefined, path: string) => string {
  const out = dirname(dirname(file))
  return (run, path) => seenFrom(out, here, run?.base ?? here, path)
}

/** An absolute working directory, from what it is as seen from a ledger's output folder. */
export function workingDirectory(file: string, here: string): string {
  return resolve(dirname(dirname(file)), here)
}

/** The lines as they are, many together. @throws RunError `usage` where one is of a newer version, or `io` */
export async function* readLedgerLines(file: string): AsyncGenerator<(LedgerLine | DamagedLine)[]> {
  for await (const texts of readLines(file)) {
    const lines: (LedgerLine | DamagedLine)[] = []
    for (const text of texts) {
      if (text === '') continue
      const line = parseLine(text)
      if ('newer' in line) throw newerThanWeAre(file, line.newer)
      lines.push(line)
    }
    yield lines
  }
}

/** What is of a newer version of the format may mean something else than we would take it for. */
export function newerThanWeAre(file: string, version: number): RunError {
  return new RunError(
    'usage',
    `${file} was written by a newer claude-batch (its format is ${version}); use that one, or another --out`,
  )
}

type MadeLine = DocumentLine & Required<Pick<DocumentLine, 'size' | 'key' | 'output'>>

/** Whether the line tells of a good summary. */
export function isMade(line: DocumentLine): line is MadeLine {
  return line.status === 'summarized'
}

/**
 * What a line comes to in memory, where there may be a hundred thousand: nothing is kept that is kept elsewhere.
 * @param path that it will be known by
 * @param cwd that the path is relative to
 */
export function madeOf(
  line: MadeLine,
  path: string,
  cwd: string,
  run: RunLine | undefined,
  before?: Made,
): Made {
  const { size, mtime, key, output } = line
  const written = { size: output.size, mtime: output.mtime, sha256: output.sha256 }
  const file = output.file === path + summarySuffix ? undefined : output.file
  // One string for all lines in a row that say the same.
  const recipe = before?.recipe === line.recipe ? before.recipe : line.recipe
  return {
    size,
    mtime,
    recipe,
    key,
    written,
    file,
    ...(file !== undefined && !isOutputOf(file, path, cwd) && ({ misnamed: true } as const)),
    run,
    ...(line.doubts !== undefined && { doubts: line.doubts }),
  }
}

/** Takes note that a document is still, or again, the one that was summarized. */
export function refresh(
  made: Map<string, Made>,
  path: string,
  { size, mtime, recipe, key }: UnchangedLine,
): void {
  const known = made.get(path)
  if (known?.key === key) made.set(path, { ...known, size, mtime, recipe })
}
