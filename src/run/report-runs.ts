import { resolve } from 'node:path'
import type { ReportOptions } from '../config/report-flags.ts'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { type EstimateJson, estimateFormatVersion, estimateShape } from '../core/estimate/estimate-json.ts'
import { buildReportJson } from '../core/report/build-report-json.ts'
import type { RecordedRun } from '../core/report/recorded-run.ts'
import { isObject } from '../core/text/shape.ts'
import { CommandLineError, type Exit, ExitError, UsageError } from '../errors.ts'
import { describeFsError } from '../inputs/describe-fs-error.ts'
import { readSmallFile } from '../inputs/read-small-file.ts'
import type { Runtime } from '../runtime.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { readRecordedRuns, readTexts } from '../storage/ledger/recorded-runs.ts'
import { formatEstimateVsActual } from '../ui/estimate-vs-actual.ts'
import { formatGroups } from '../ui/format-report-groups.ts'
import { renderReport } from './report-writer.ts'

/**
 * Prints a report of one run or all runs, in any format, grouped, or compared with an estimate.
 * @throws UsageError, ExitError
 */
export async function reportRuns(
  out: string,
  options: ReportOptions,
  { cwd, clock, stdout }: Runtime,
  version: string,
): Promise<Exit> {
  const { run, groupBy, compareEstimate, format, prune } = options
  if (prune) throw new CommandLineError('--prune works only with the text report of all runs')
  if ((groupBy !== undefined || compareEstimate !== undefined) && format !== 'text')
    throw new CommandLineError(
      '--group-by and --compare-estimate need --format text; the other formats contain all totals',
    )
  const estimate =
    compareEstimate === undefined
      ? undefined
      : await readEstimate(resolve(cwd, compareEstimate), compareEstimate)
  const outputFolders = [out, ...(options.merge ?? []).map((dir) => resolve(cwd, dir))]
  // Folders from several machines have no common working directory.
  const runsByFolder = outputFolders.map((folder) =>
    readRecordedRuns(folder, outputFolders.length === 1 ? computeCwdFromOut(folder, cwd) : undefined),
  )
  const allRuns = (await Promise.all(runsByFolder))
    .flat()
    .sort((a, b) => (a.start.started_at < b.start.started_at ? -1 : 1))
  const { since } = options
  const recentRuns = since === undefined ? allRuns : allRuns.filter(({ start }) => start.started_at >= since)
  const runs = run === undefined ? recentRuns : [selectRun(run, recentRuns)]
  // The state of the folder is known only after its last run, and only for one folder.
  const isCurrent = outputFolders.length === 1 && (runs.length === 0 || runs.at(-1) === allRuns.at(-1))
  const metadata = {
    programVersion: version,
    wall: clock.wallTime(),
    folderRuns: isCurrent ? allRuns : undefined,
  }
  const write = createStreamWriter(stdout, 'stdout')
  if (estimate !== undefined) {
    const runsSince =
      run === undefined ? runs.filter(({ start }) => start.started_at >= estimate.created_at) : runs
    if (runsSince.length === 0)
      throw new ExitError('noInput', `no run started since the estimate of ${estimate.created_at}`)
    await write(
      formatEstimateVsActual(
        estimate,
        buildReportJson(runsSince, { createdAt: '', programVersion: version }),
      ),
    )
  } else if (groupBy !== undefined) {
    await write(
      formatGroups(
        groupBy,
        buildReportJson(runs, { createdAt: '', programVersion: version }).groups[groupBy],
      ),
    )
  } else {
    const entries =
      format === 'json' || format === 'text' ? [] : runs.flatMap((recordedRun) => recordedRun.entries)
    const textsByFolder = await Promise.all(outputFolders.map((folder) => readTexts(folder, entries)))
    const texts = new Map(textsByFolder.flatMap((folderTexts) => [...folderTexts]))
    for (const piece of await renderReport(format, runs, texts, metadata)) await write(piece)
  }
  return 'ok'
}

/** Returns the selected run. @param which `last`, a run id, or a prefix of a start time @throws UsageError */
function selectRun(which: string, runs: readonly RecordedRun[]): RecordedRun {
  const startPrefix = which.replace(' UTC', '').replace(' ', 'T')
  const found =
    which === 'last'
      ? runs.slice(-1)
      : runs.filter(({ start: run }) => run.run_id === which || run.started_at.startsWith(startPrefix))
  const [run] = found
  if (run !== undefined && found.length === 1) return run
  const last = runs.at(-1)?.start.started_at.slice(0, 19).replace('T', ' ')
  const hint = last === undefined ? 'no run is recorded' : `the last run is "${last}"`
  throw new UsageError(
    found.length === 0
      ? `--run ${which}: no such run; ${hint}`
      : `--run ${which}: ${found.length} runs started then; add the seconds (${hint})`,
  )
}

/**
 * Reads an estimate that `--dry-run --report` wrote.
 * @param name the file as the user typed it
 * @throws UsageError
 */
async function readEstimate(file: string, name: string): Promise<EstimateJson> {
  const text = await readSmallFile(file).catch((error: Error) => {
    throw new UsageError(`--compare-estimate ${name}: ${describeFsError(error)}`)
  })
  const estimate = tryParseJson(text.toString('utf8'))
  if (!isObject(estimate) || estimate['format'] !== 'claude-batch estimate')
    throw new UsageError(
      `--compare-estimate ${name}: not an estimate; create one with --dry-run --report FILE.json`,
    )
  const version = estimate['format_version'] ?? estimate['version']
  if (version !== estimateFormatVersion)
    throw new UsageError(
      `--compare-estimate ${name}: written by another version of claude-batch (format ${version}); create the estimate again`,
    )
  if (!estimateShape.matches(estimate))
    throw new UsageError(`--compare-estimate ${name}: the estimate is damaged`)
  return estimate
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
