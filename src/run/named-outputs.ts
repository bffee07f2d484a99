import { statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import type { Source } from '../core/document/document.ts'
import { isWithin } from '../core/document/document-path.ts'
import { type ReportFormat, reportFormats } from '../core/document/generated-marker.ts'
import { stemOf } from '../core/document/output-path.ts'
import { printable } from '../core/text/escape-control.ts'
import { UsageError } from '../errors.ts'
import type { World } from '../runtime.ts'
import { isLogEntry } from '../sinks/request-log.ts'
import { inspectNamedFile, type NamedFile } from '../storage/fs/named-file.ts'
import { objectionToLog, objectionToReport } from '../storage/fs/replaceable-file.ts'

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
  readonly digest?: { readonly name: string; readonly objection: NamedFile['objection'] } | undefined
  /** All inputs. */
  readonly sources?: readonly Source[]
  /** The output folder; undefined where there is none. */
  readonly out?: string | undefined
  /** The files that the command writes without being told to. */
  readonly others?: readonly string[]
  readonly world: World
}

/**
 * Checks every file that flags name for writing, before anything is sent. See docs/decisions/0065-named-files.md.
 * @throws UsageError for one that must not be written, RunError `io` for one that cannot be
 */
export async function inspectNamedOutputs({
  report,
  log,
  digest,
  sources = [],
  out,
  others = [],
  world,
}: NamedOutputsOptions): Promise<NamedOutputs> {
  const opened: NamedFile[] = []
  const close = () => {
    for (const named of opened) named.close()
  }
  const inspected = async (given: Omit<Parameters<typeof inspectNamedFile>[0], 'name'>, name?: string) => {
    if (name === undefined) return undefined
    const named = await inspectNamedFile({ ...given, name }, world)
    opened.push(named)
    return named
  }
  try {
    const outputs = {
      report: await inspected(
        {
          flag: '--report',
          how: 'replace',
          objection: (file) => objectionToReport(file, formatOf(report ?? '')),
        },
        report,
      ),
      log: await inspected(
        { flag: '--log', how: 'append', objection: (file) => objectionToLog(file, isLogEntry) },
        log,
      ),
      digest: await inspected(
        { flag: '--digest', how: 'replace', objection: digest?.objection ?? (async () => undefined) },
        digest?.name,
      ),
      close,
    }
    const files = opened.filter(({ stream }) => stream === undefined)
    checkDifferent(files)
    for (const named of files) {
      checkNoOther(named, others)
      checkNoSummary(named, out)
      checkNoInput(named, sources, world.cwd)
    }
    return outputs
  } catch (error) {
    close()
    throw error
  }
}

/** What a report is to be, by its file's name; a pipe or device without one gets JSON. @throws UsageError */
export function formatOf(name: string, stream?: NamedFile['stream']): ReportFormat {
  const format = reportFormats.find((format) => extname(name).toLowerCase() === `.${format}`)
  if (format !== undefined) return format
  if (stream !== undefined) return 'json'
  throw new UsageError(`--report ${name}: expected a name that ends in .json, .md or .html`)
}

/** Two names may be one file by links, and where the file system takes `A` and `a` for one name. */
function checkDifferent(files: readonly NamedFile[]): void {
  for (const [n, one] of files.entries()) {
    const other = files.slice(n + 1).find((it) => isSame(one, it))
    if (other !== undefined)
      throw new UsageError(`${one.shown} and ${other.shown} are the same file; name two different ones`)
  }
}

function isSame(a: Pick<NamedFile, 'file' | 'stats'>, b: Pick<NamedFile, 'file' | 'stats'>): boolean {
  const folded = (file: string) => file.normalize('NFC').toLowerCase()
  return folded(a.file) === folded(b.file) || (a.stats !== undefined && isFile(a.stats, b.stats))
}

function isFile(a: { readonly dev: number; readonly ino: number }, b: NamedFile['stats']): boolean {
  // 0 is what file systems without such numbers have.
  return a.ino !== 0 && a.ino === b?.ino && a.dev === b.dev
}

/** @throws UsageError for one of the files that the command writes in any case */
function checkNoOther(named: NamedFile, others: readonly string[]): void {
  const other = others.find((file) =>
    isSame(named, { file, stats: statSync(file, { throwIfNoEntry: false }) }),
  )
  if (other !== undefined)
    throw new UsageError(`${named.shown}: ${basename(other)} is written there in any case; name another file`)
}

/** In the output folder some names belong to summaries. @throws UsageError */
function checkNoSummary({ file, shown }: NamedFile, out: string | undefined): void {
  if (out !== undefined && isWithin(file, out) && stemOf(file) !== undefined)
    throw new UsageError(`${shown}: this is the name of a summary; name another file`)
}

/**
 * A file that was only met in a folder is left out of the run; one that the user named, or that has another name too,
 * would be read and written.
 * @throws UsageError
 */
function checkNoInput({ file, shown, stats }: NamedFile, sources: readonly Source[], cwd: string): void {
  const input = sources.find(({ path, problem, named, stats: read }) => {
    if (path === '-' || (problem?.type === 'earlier_output' && !named)) return false
    const place = resolve(cwd, path)
    if (place === file) return true
    // Nearly all are told apart by what is known of them already.
    if (stats === undefined || read?.size !== stats.size || read.mtimeMs !== stats.mtimeMs) return false
    const now = statSync(place, { throwIfNoEntry: false })
    return now !== undefined && isFile(now, stats)
  })
  if (input !== undefined)
    throw new UsageError(
      `${shown}: this is also an input, ${printable(input.path)}; name another file, or leave it out with --exclude`,
    )
}
