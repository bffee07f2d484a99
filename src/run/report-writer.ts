import { relative, sep } from 'node:path'
import type { ReportFormat } from '../core/document/generated-marker.ts'
import { type RecordedRun, reportFile } from '../core/report/report-json.ts'
import type { DocumentLine, EndLine, RunLine } from '../core/run/ledger-entry.ts'
import type { Sink } from '../core/run/sink.ts'
import { wellFormed } from '../core/text/well-formed.ts'
import type { World } from '../runtime.ts'
import { type Remembering, remembering } from '../sinks/recording.ts'
import { type NamedFile, writeNamedFile } from '../storage/fs/named-file.ts'
import { recordedRuns, textsOf } from '../storage/ledger/read-runs.ts'
import { formatOf } from './named-outputs.ts'
import type { Asking } from './request-builder.ts'

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
  named: NamedFile | undefined,
  out: string | undefined,
  world: World,
  program: string,
): RunReport {
  if (named === undefined) return { watching: (sink) => sink, async write() {} }
  const format = formatOf(named.name, named.stream)
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
      await writeNamedFile(named, await formatted(format, [{ ...recorded, end }], texts, how), run.run)
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
  if (format === 'html') return (await import('../ui/report-html/report-page.ts')).reportHtml(report)
  if (format === 'md') return [(await import('../ui/report-markdown.ts')).reportMarkdown(report)]
  return [`${JSON.stringify(wellFormed(report), null, 2)}\n`]
}
