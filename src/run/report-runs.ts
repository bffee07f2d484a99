import { resolve } from 'node:path'
import type { ReportOptions } from '../config/report-flags.ts'
import { type EstimateFile, estimateVersion } from '../core/estimate/estimate-json.ts'
import { type RecordedRun, reportFile } from '../core/report/report-json.ts'
import { type Exit, RunError, UsageError } from '../errors.ts'
import { reasonOf } from '../inputs/find/reason.ts'
import { readSmallFile } from '../inputs/read/small-file.ts'
import type { World } from '../runtime.ts'
import { streamWriter } from '../storage/fs/stream-writer.ts'
import { recordedRuns, textsOf } from '../storage/ledger/read-runs.ts'
import { againstText } from '../ui/against.ts'
import { groupsText } from '../ui/groups.ts'
import { formatted, seenFromOut } from './report-writer.ts'

/** The account of one run or of all, in a format of its own, by something else than runs, or beside an estimate. */
export async function reportRuns(
  out: string,
  options: ReportOptions,
  { cwd, clock, stdout }: World,
  version: string,
): Promise<Exit> {
  const { run, groupBy, compareEstimate, format, prune } = options
  if (prune) throw new UsageError('--prune goes with the report of all runs, as text')
  if ((groupBy !== undefined || compareEstimate !== undefined) && format !== 'text')
    throw new UsageError(
      '--group-by and --compare-estimate are shown as text; the other formats have all sums anyway',
    )
  const estimate =
    compareEstimate === undefined
      ? undefined
      : await estimateIn(resolve(cwd, compareEstimate), compareEstimate)
  const outs = [out, ...(options.merge ?? []).map((dir) => resolve(cwd, dir))]
  // What several machines did has no working directory in common.
  const read = outs.map((it) => recordedRuns(it, outs.length === 1 ? seenFromOut(it, cwd) : undefined))
  const all = (await Promise.all(read)).flat().sort((a, b) => (a.run.time < b.run.time ? -1 : 1))
  const runs = run === undefined ? all : [chosen(run, all)]
  const how = { program: version, wall: clock.wall() }
  const write = streamWriter(stdout, 'stdout')
  if (estimate !== undefined) {
    const since = run === undefined ? runs.filter((it) => it.run.time >= estimate.made) : runs
    if (since.length === 0) throw new RunError('noInput', `nothing has been done since ${estimate.made}`)
    await write(againstText(estimate, reportFile(since, { made: '', program: version })))
  } else if (groupBy !== undefined) {
    await write(groupsText(groupBy, reportFile(runs, { made: '', program: version }).by[groupBy]))
  } else {
    const lines = format === 'json' ? [] : runs.flatMap((it) => it.lines)
    const texts = new Map((await Promise.all(outs.map((it) => textsOf(it, lines)))).flatMap((it) => [...it]))
    for (const piece of await formatted(format === 'text' ? 'md' : format, runs, texts, how))
      await write(piece)
  }
  return 'ok'
}

/** @param which `last`, a run's id, or the beginning of its time */
function chosen(which: string, runs: readonly RecordedRun[]): RecordedRun {
  const began = which.replace(' UTC', '').replace(' ', 'T')
  const found =
    which === 'last'
      ? runs.slice(-1)
      : runs.filter(({ run }) => run.run === which || run.time.startsWith(began))
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  const last = runs.at(-1)?.run.time.slice(0, 19).replace('T', ' ')
  const hint = last === undefined ? 'no run is recorded' : `the last one is "${last}"`
  throw new UsageError(
    found.length === 0
      ? `--run ${which}: there is no such run; ${hint}`
      : `--run ${which}: ${found.length} runs began then; give the second, too: ${hint}`,
  )
}

async function estimateIn(file: string, name: string): Promise<EstimateFile> {
  const text = await readSmallFile(file).catch((error: Error) => {
    throw new UsageError(`--compare-estimate ${name}: ${reasonOf(error)}`)
  })
  const estimate = (parsed(text.toString('utf8')) ?? {}) as EstimateFile
  const { format, version, tokens_in, tokens_out, cost_usd, documents } = estimate
  if (format !== 'claude-batch estimate')
    throw new UsageError(
      `--compare-estimate ${name}: not an estimate; --dry-run --report FILE.json saves one`,
    )
  if (version !== estimateVersion)
    throw new UsageError(
      `--compare-estimate ${name}: written by another version of claude-batch (its format is ${version})`,
    )
  const costs = cost_usd?.live === null || isBounds(cost_usd?.live)
  if (!costs || !isBounds(tokens_in) || !isBounds(tokens_out) || typeof documents?.to_do !== 'number')
    throw new UsageError(`--compare-estimate ${name}: the estimate is damaged`)
  return estimate
}

function isBounds(value: unknown): boolean {
  const { low, expected, high } = (value ?? {}) as Record<string, unknown>
  return [low, expected, high].every((bound) => typeof bound === 'number')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
