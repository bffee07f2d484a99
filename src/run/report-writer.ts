import { dirname } from 'node:path'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { buildReportJson, type ReportJsonOptions } from '../core/report/build-report-json.ts'
import type { ReportFormat } from '../core/report/generated-marker.ts'
import type { RecordedRun } from '../core/report/recorded-run.ts'
import { createReportLinks, type ReportLinks } from '../core/report/report-links.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../core/run/ledger-entry.ts'
import type { Sink } from '../core/run/sink.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import type { Runtime } from '../runtime.ts'
import { createRecordingSink, type RecordingSink } from '../sinks/recording-sink.ts'
import { type NamedFile, writeNamedFile } from '../storage/fs/named-file.ts'
import { readRecordedRuns, readTexts } from '../storage/ledger/recorded-runs.ts'
import { getReportFormat } from './named-outputs.ts'
import type { PromptChoice } from './request-builder.ts'

/** Writes the report of a run. */
export interface ReportWriter {
  /** Returns a sink that also records the outcomes of a run to stdout, which has no ledger. */
  observe(sink: Sink, promptChoice: Pick<PromptChoice, 'getProvenance'>): Sink
  /** Writes the report. Call it after the sink is closed. @throws ExitError `ioError` */
  write(run: RunStart, end: RunEnd): Promise<void>
}

/**
 * Creates the writer of the `--report` file. Without the flag, the writer does nothing.
 * @param out the output folder; undefined for stdout
 * @throws UsageError for a name without a known extension
 */
export function createReportWriter(
  named: NamedFile | undefined,
  out: string | undefined,
  runtime: Runtime,
  programVersion: string,
): ReportWriter {
  if (named === undefined) return { observe: (sink) => sink, async write() {} }
  const format = getReportFormat(named.name, named.stream)
  let recording: RecordingSink | undefined
  return {
    observe(sink, { getProvenance }) {
      if (out !== undefined) return sink
      recording = createRecordingSink(sink, getProvenance, runtime.clock)
      return recording
    },
    async write(run, end) {
      const folderRuns = await readFolderRuns(run, end, out, runtime.cwd)
      const recordedRun = folderRuns?.find(({ start }) => start.run_id === run.run_id) ?? {
        start: run,
        end,
        entries: recording?.entries ?? [],
      }
      const texts = await readSummaryTexts(format, recordedRun.entries, out, recording)
      const metadata = {
        programVersion,
        wall: runtime.clock.wallTime(),
        folderRuns,
        links:
          named.stream === undefined ? createReportLinks(dirname(named.file), runtime.cwd, out) : undefined,
      }
      await writeNamedFile(named, await renderReport(format, [recordedRun], texts, metadata), run.run_id)
    },
  }
}

/** Returns all runs of the output folder, with this end of the last one; undefined for stdout. */
async function readFolderRuns(
  run: RunStart,
  end: RunEnd,
  out: string | undefined,
  cwd: string,
): Promise<readonly RecordedRun[] | undefined> {
  if (out === undefined) return undefined
  const runs = await readRecordedRuns(out, computeCwdFromOut(out, cwd))
  return runs.map((recordedRun) =>
    recordedRun.start.run_id === run.run_id ? { ...recordedRun, end } : recordedRun,
  )
}

function readSummaryTexts(
  format: ReportFormat,
  entries: readonly DocumentEntry[],
  out: string | undefined,
  recording: RecordingSink | undefined,
): Promise<ReadonlyMap<string, string>> | ReadonlyMap<string, string> {
  if (format === 'json') return new Map()
  return out === undefined ? (recording?.texts ?? new Map()) : readTexts(out, entries)
}

/** What a report shows in addition to its runs. */
export interface ReportMetadata extends Pick<ReportJsonOptions, 'programVersion' | 'folderRuns'> {
  /** The time of the report: milliseconds since 1970. */
  readonly wall: number
  /** Where the links of an HTML report lead; undefined if its place is not known. */
  readonly links?: ReportLinks | undefined
}

/** Returns the report of recorded runs in a format, in pieces. @param texts summaries by document path */
export async function renderReport(
  format: ReportFormat | 'text',
  runs: readonly RecordedRun[],
  texts: ReadonlyMap<string, string>,
  { programVersion, wall, folderRuns, links }: ReportMetadata,
): Promise<Iterable<string>> {
  const report = buildReportJson(runs, {
    createdAt: new Date(wall).toISOString(),
    programVersion,
    folderRuns,
    ...(format !== 'json' && format !== 'text' && { texts }),
  })
  if (format === 'text') return [(await import('../ui/render-report-text.ts')).renderReportText(report)]
  if (format === 'html')
    return (await import('../ui/report-html/render-report-html.ts')).renderReportHtml(report, links)
  if (format === 'md') return [(await import('../ui/render-report-markdown.ts')).renderReportMarkdown(report)]
  return [`${JSON.stringify(replaceLoneSurrogates(report), null, 2)}\n`]
}
