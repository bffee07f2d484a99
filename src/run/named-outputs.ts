import { statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import type { DocumentRef } from '../core/document/document.ts'
import { isInside } from '../core/document/document-path.ts'
import { stripSummarySuffix } from '../core/document/output-path.ts'
import { type ReportFormat, reportFormats } from '../core/report/generated-marker.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { CommandLineError, UsageError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { isLogEntry } from '../sinks/request-log.ts'
import { inspectNamedFile, type NamedFile } from '../storage/fs/named-file.ts'
import { checkLogOverwrite, checkReportOverwrite } from '../storage/fs/named-file-checks.ts'

/** The files that flags name for writing, all checked; undefined where a flag is not given. */
export interface NamedOutputs {
  readonly report: NamedFile | undefined
  readonly log: NamedFile | undefined
  readonly digest: NamedFile | undefined
  /** Closes the pipes and devices among them, when the last run has ended. */
  close(): void
}

export interface NamedOutputsOptions {
  /** As the user gave them. */
  readonly report?: string | undefined
  readonly log?: string | undefined
  /** Says why a digest may not replace the file that is there. */
  readonly digest?: { readonly name: string; readonly objection: NamedFile['checkOverwrite'] } | undefined
  /** All inputs. */
  readonly sources?: readonly DocumentRef[]
  /** The output folder; undefined where there is none. */
  readonly out?: string | undefined
  /** The files that the command writes without being told to. */
  readonly reservedFiles?: readonly string[]
  readonly runtime: Runtime
}

/**
 * Checks every file that flags name for writing, before anything is sent. See docs/decisions/0025-named-files.md.
 * @throws UsageError for one that must not be written, ExitError `ioError` for one that cannot be
 */
export async function inspectNamedOutputs({
  report,
  log,
  digest,
  sources = [],
  out,
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

/** What a report is to be, by its file's name; a pipe or device without one gets JSON. @throws UsageError */
export function getReportFormat(name: string, stream?: NamedFile['stream']): ReportFormat {
  const format = reportFormats.find((format) => extname(name).toLowerCase() === `.${format}`)
  if (format !== undefined) return format
  if (stream !== undefined) return 'json'
  throw new CommandLineError(`--report ${name}: expected a name that ends in .json, .md or .html`)
}

/** Two names may be one file by links, and where the file system takes `A` and `a` for one name. */
function checkDifferent(files: readonly NamedFile[]): void {
  for (const [n, one] of files.entries()) {
    const other = files.slice(n + 1).find((it) => isSameFile(one, it))
    if (other !== undefined)
      throw new CommandLineError(`${one.label} and ${other.label} are the same file; name two different ones`)
  }
}

function isSameFile(a: Pick<NamedFile, 'file' | 'stats'>, b: Pick<NamedFile, 'file' | 'stats'>): boolean {
  const foldCase = (file: string) => file.normalize('NFC').toLowerCase()
  return foldCase(a.file) === foldCase(b.file) || (a.stats !== undefined && isSameInode(a.stats, b.stats))
}

function isSameInode(a: { readonly dev: number; readonly ino: number }, b: NamedFile['stats']): boolean {
  // 0 is what file systems without such numbers have.
  return a.ino !== 0 && a.ino === b?.ino && a.dev === b.dev
}

/** @throws UsageError for one of the files that the command writes in any case */
function checkNotReserved(named: NamedFile, reservedFiles: readonly string[]): void {
  const other = reservedFiles.find((file) =>
    isSameFile(named, { file, stats: statSync(file, { throwIfNoEntry: false }) }),
  )
  if (other !== undefined)
    throw new UsageError(`${named.label}: ${basename(other)} is written there in any case; name another file`)
}

/** In the output folder some names belong to summaries. @throws UsageError */
function checkNotSummary({ file, label: shown }: NamedFile, out: string | undefined): void {
  if (out !== undefined && isInside(file, out) && stripSummarySuffix(file) !== undefined)
    throw new UsageError(`${shown}: this is the name of a summary; name another file`)
}

/**
 * A file that was only met in a folder is left out of the run; one that the user named, or that has another name too,
 * would be read and written.
 * @throws UsageError
 */
function checkNotInput(
  { file, label: shown, stats }: NamedFile,
  sources: readonly DocumentRef[],
  cwd: string,
): void {
  const input = sources.find(({ path, problem, namedByUser, stats: inputStats }) => {
    if (path === '-' || (problem?.type === 'earlier_output' && !namedByUser)) return false
    const inputFile = resolve(cwd, path)
    if (inputFile === file) return true
    // Nearly all are told apart by what is known of them already.
    if (stats === undefined || inputStats?.size !== stats.size || inputStats.mtimeMs !== stats.mtimeMs)
      return false
    const currentStats = statSync(inputFile, { throwIfNoEntry: false })
    return currentStats !== undefined && isSameInode(currentStats, stats)
  })
  if (input !== undefined)
    throw new UsageError(
      `${shown}: this is also an input, ${escapeControlChars(input.path)}; name another file, or leave it out with --exclude`,
    )
}
