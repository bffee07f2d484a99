import { statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import type { DocumentRef } from '../core/document/document.ts'
import { isInside } from '../core/document/document-path.ts'
import { stripSummarySuffix } from '../core/document/output-path.ts'
import { type ExportFormat, type ReportFormat, reportFormats } from '../core/report/generated-marker.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { CommandLineError, UsageError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { isLogEntry } from '../sinks/request-log.ts'
import { inspectNamedFile, type NamedFile } from '../storage/fs/named-file.ts'
import { checkLogOverwrite, checkReportOverwrite } from '../storage/fs/named-file-checks.ts'

/** The output files that flags name, all checked; undefined if a flag is not set. */
export interface NamedOutputs {
  readonly report: NamedFile | undefined
  readonly log: NamedFile | undefined
  readonly digest: NamedFile | undefined
  readonly exported: NamedFile | undefined
  /** Closes the files that are pipes or devices. Call it after the last run has ended. */
  close(): void
}

export interface NamedOutputsOptions {
  /** The file names as the user typed them. */
  readonly report?: string | undefined
  readonly log?: string | undefined
  /** The digest file, and the check whether a digest may replace an existing file. */
  readonly digest?: { readonly name: string; readonly objection: NamedFile['checkOverwrite'] } | undefined
  /** The file of an export, and its format. */
  readonly exported?: { readonly name: string; readonly format: ExportFormat } | undefined
  /** All inputs. */
  readonly sources?: readonly DocumentRef[]
  /** The output folder; undefined if the command has none. */
  readonly out?: string | undefined
  /** Whether `--report -` may write to stdout, because the command prints no results there. */
  readonly isStdoutFree?: boolean
  /** Files that the command always writes. */
  readonly reservedFiles?: readonly string[]
  readonly runtime: Runtime
}

/**
 * Checks every output file that flags name, before any request is sent. See
 * docs/decisions/0025-named-files.md.
 * @throws UsageError for a file that must not be overwritten, ExitError `ioError` for a file that cannot be
 * written
 */
export async function inspectNamedOutputs({
  report,
  log,
  digest,
  exported,
  sources = [],
  out,
  isStdoutFree = false,
  reservedFiles = [],
  runtime,
}: NamedOutputsOptions): Promise<NamedOutputs> {
  const namedFiles: NamedFile[] = []
  const close = () => {
    for (const named of namedFiles) named.close()
  }
  const inspectIfNamed = async (
    fileOptions: Omit<Parameters<typeof inspectNamedFile>[0], 'name'>,
    name?: string,
  ) => {
    if (name === undefined) return undefined
    const named = await inspectNamedFile({ ...fileOptions, name }, runtime)
    namedFiles.push(named)
    return named
  }
  try {
    const outputs = {
      report: await inspectIfNamed(
        {
          flag: '--report',
          writeMode: 'replace',
          isStdoutFree,
          checkOverwrite: (file) => checkReportOverwrite(file, getReportFormat(report ?? '')),
        },
        report,
      ),
      log: await inspectIfNamed(
        { flag: '--log', writeMode: 'append', checkOverwrite: (file) => checkLogOverwrite(file, isLogEntry) },
        log,
      ),
      digest: await inspectIfNamed(
        {
          flag: '--digest',
          writeMode: 'replace',
          checkOverwrite: digest?.objection ?? (async () => undefined),
        },
        digest?.name,
      ),
      exported: await inspectIfNamed(
        {
          flag: '--output',
          writeMode: 'replace',
          checkOverwrite: (file) => checkReportOverwrite(file, exported?.format ?? 'jsonl'),
        },
        exported?.name,
      ),
      close,
    }
    const files = namedFiles.filter(({ stream }) => stream === undefined)
    checkDifferent(files)
    for (const named of files) {
      checkNotReserved(named, reservedFiles)
      checkNotSummary(named, out)
      checkNotInput(named, sources, runtime.cwd)
    }
    return outputs
  } catch (error) {
    close()
    throw error
  }
}

/**
 * Returns the format of a report by its file extension; JSON for a pipe or device without one.
 * @throws UsageError
 */
export function getReportFormat(name: string, stream?: NamedFile['stream']): ReportFormat {
  const format = reportFormats.find((format) => extname(name).toLowerCase() === `.${format}`)
  if (format !== undefined) return format
  if (stream !== undefined) return 'json'
  throw new CommandLineError(`--report ${name}: expected a name that ends in .json, .md or .html`)
}

/**
 * Checks that no two flags name the same file. Different names may be the same file because of links, or on a
 * case-insensitive file system.
 * @throws UsageError
 */
function checkDifferent(files: readonly NamedFile[]): void {
  for (const [n, file] of files.entries()) {
    const other = files.slice(n + 1).find((candidate) => isSameFile(file, candidate))
    if (other !== undefined)
      throw new CommandLineError(
        `${file.label} and ${other.label} are the same file; use two different files`,
      )
  }
}

function isSameFile(a: Pick<NamedFile, 'file' | 'stats'>, b: Pick<NamedFile, 'file' | 'stats'>): boolean {
  const foldCase = (file: string) => file.normalize('NFC').toLowerCase()
  return foldCase(a.file) === foldCase(b.file) || (a.stats !== undefined && isSameInode(a.stats, b.stats))
}

function isSameInode(a: { readonly dev: number; readonly ino: number }, b: NamedFile['stats']): boolean {
  // File systems without inode numbers report 0.
  return a.ino !== 0 && a.ino === b?.ino && a.dev === b.dev
}

/** @throws UsageError if the command always writes to this file itself */
function checkNotReserved(named: NamedFile, reservedFiles: readonly string[]): void {
  const other = reservedFiles.find((file) =>
    isSameFile(named, { file, stats: statSync(file, { throwIfNoEntry: false }) }),
  )
  if (other !== undefined)
    throw new UsageError(`${named.label}: claude-batch writes ${basename(other)} there; name another file`)
}

/** @throws UsageError if the file has the name of a summary in the output folder */
function checkNotSummary({ file, label }: NamedFile, out: string | undefined): void {
  if (out !== undefined && isInside(file, out) && stripSummarySuffix(file) !== undefined)
    throw new UsageError(`${label}: this is the name of a summary; name another file`)
}

/**
 * Checks that the run does not read the file as an input. An earlier output that was only found in a folder
 * is skipped by the run, so it may be overwritten.
 * @throws UsageError
 */
function checkNotInput(
  { file, label, stats }: NamedFile,
  sources: readonly DocumentRef[],
  cwd: string,
): void {
  const input = sources.find(({ path, problem, namedByUser, stats: inputStats }) => {
    if (path === '-' || (problem?.type === 'earlier_output' && !namedByUser)) return false
    const inputFile = resolve(cwd, path)
    if (inputFile === file) return true
    // Known size and time rule out nearly all inputs without another stat call.
    if (stats === undefined || inputStats?.size !== stats.size || inputStats.mtimeMs !== stats.mtimeMs)
      return false
    const currentStats = statSync(inputFile, { throwIfNoEntry: false })
    return currentStats !== undefined && isSameInode(currentStats, stats)
  })
  if (input !== undefined)
    throw new UsageError(
      `${label}: this is also an input, ${escapeControlChars(input.path)}; name another file, or exclude it with --exclude`,
    )
}
