import { mkdir } from 'node:fs/promises'
import { dirname, extname, relative, resolve, sep } from 'node:path'
import type { DocumentLine, EndLine, RunLine } from '../core/ledger-line.ts'
import { type RecordedRun, reportFile } from '../core/report-file.ts'
import { RunError, UsageError } from '../errors.ts'
import { recordedRuns, textsOf } from '../sinks/recorded-runs.ts'
import { type Remembering, remembering } from '../sinks/remembering.ts'
import type { Sink } from '../sinks/sink.ts'
import { writeWhole } from '../sinks/whole-file.ts'
import type { World } from '../world.ts'
import type { Asking } from './asking.ts'

const reportFormats = ['json', 'md', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

/** What a report is to be, by its file's name. @throws UsageError */
function formatOf(file: string): ReportFormat {
  const format = reportFormats.find((format) => extname(file).toLowerCase() === `.${format}`)
  if (format === undefined)
    throw new UsageError(`--report ${file}: expected a name that ends in .json, .md or .html`)
  return format
}

/** Where the report of a run goes, and what it needs to have seen. */
export interface RunReport {
  /** Watches what goes to stdout, which nothing else remembers. */
  watching(sink: Sink, asking: Pick<Asking, 'factsFor'>): Sink
  /** After the sink is closed. @throws RunError `io` */
  write(run: RunLine, end: EndLine): Promise<void>
}

/**
 * The report that `--report` asks for; none, if it does not.
 * @param out the output folder; undefined for stdout
 * @throws UsageError
 */
export function reportOf(
  name: string | undefined,
  out: string | undefined,
  world: World,
  program: string,
): RunReport {
  if (name === undefined) return { watching: (sink) => sink, async write() {} }
  const file = resolve(world.cwd, name)
  const format = formatOf(name)
  let remembered: Remembering | undefined
  return {
    watching(sink, { factsFor }) {
      if (out !== undefined) return sink
      remembered = remembering(sink, factsFor, world.clock)
      return remembered
    },
    async write(run, end) {
      const recorded = await recordedOf(run, out, world.cwd, remembered)
      const texts = await textsFor(format, recorded.lines, out, remembered)
      const how = { program, wall: world.clock.wall() }
      await writeFileWhole(file, await formatted(format, [{ ...recorded, end }], texts, how), world)
    },
  }
}

async function recordedOf(
  run: RunLine,
  out: string | undefined,
  cwd: string,
  remembered: Remembering | undefined,
): Promise<RecordedRun> {
  if (out === undefined) return { run, lines: remembered?.lines ?? [] }
  const runs = await recordedRuns(out, seenFromOut(out, cwd))
  return runs.find((it) => it.run.run === run.run) ?? { run, lines: [] }
}

function textsFor(
  format: ReportFormat,
  lines: readonly DocumentLine[],
  out: string | undefined,
  remembered: Remembering | undefined,
): Promise<ReadonlyMap<string, string>> | ReadonlyMap<string, string> {
  if (format === 'json') return new Map()
  return out === undefined ? (remembered?.texts ?? new Map()) : textsOf(out, lines)
}

/** The working directory, as seen from an output folder. */
export function seenFromOut(out: string, cwd: string): string {
  return relative(out, cwd).split(sep).join('/')
}

/** The report of recorded runs in some format, in pieces. @param texts the summaries, by their documents' paths */
export async function formatted(
  format: ReportFormat,
  recorded: readonly RecordedRun[],
  texts: ReadonlyMap<string, string>,
  { program, wall }: { readonly program: string; readonly wall: number },
): Promise<Iterable<string>> {
  const made = new Date(wall).toISOString()
  const report = reportFile(recorded, { made, program, ...(format !== 'json' && { texts }) })
  if (format === 'html') return (await import('../ui/report-html/report.ts')).reportHtml(report)
  if (format === 'md') return [(await import('../ui/report-markdown.ts')).reportMarkdown(report)]
  return [`${JSON.stringify(report, null, 2)}\n`]
}

/** Writes a file whole or not at all, with the folders it is in. @throws RunError `io` */
export async function writeFileWhole(
  file: string,
  text: string | Iterable<string>,
  { pid }: World,
): Promise<void> {
  const folder = dirname(file)
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new RunError('io', `cannot write ${file}: ${error.code ?? error.message}`)
  })
  await writeWhole(folder, file, text, `${pid}-report`)
}
