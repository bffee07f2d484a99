import { formatExactUsd } from '../pricing/pricing-rules.ts'
import { addTotals, emptyTotals, type Totals, toTotals } from '../pricing/totals.ts'
import { sumInputTokens, type Usage } from '../pricing/usage.ts'
import type { LimitRates } from '../rate-limit/limiter-state.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../run/ledger-entry.ts'
import { computeDistribution, type Distribution } from './distribution.ts'
import { computeTimeline, type Timeline } from './timeline.ts'

/** Counts changes that an older reader would misunderstand; fields are added without. */
export const reportFormatVersion = 1

/**
 * The account of one run or of many, as a JSON report has it and the pages show it; `docs/report.md` and the
 * JSON Schema describe it. Costs are USD, exact to the last digit; `null` is unknown. Times are milliseconds, or ISO 8601.
 */
export interface ReportJson {
  readonly format: 'claude-batch report'
  readonly version: typeof reportFormatVersion
  readonly made: string
  /** The version of the program. */
  readonly program: string
  /** Nobody was paid for any of it. */
  readonly simulated: boolean
  readonly totals: ReportTotals
  readonly runs: readonly RunRow[]
  /** What the same totals are made of; the dearest first, days in order. */
  readonly by: Readonly<Record<'day' | 'model' | 'prompt' | 'folder', readonly ReportGroup[]>>
  readonly errors: readonly ErrorGroup[]
  /** Of the answers. */
  readonly latency: Distribution | null
  /** Where the time of the documents went, added up over all of them. */
  readonly time: TimeBreakdown
  /** Of a single run. */
  readonly timeline: Timeline | null
  /** What is known of each document last; of a single run, what that run did. */
  readonly documents: readonly DocumentRow[]
}

/**
 * Sums. `cost_usd` leaves out what is unknown, which `unknown_cost` answers are, in whole or in part; it is null where
 * nothing of it is known.
 */
interface ReportSums {
  readonly summarized: number
  readonly failed: number
  readonly pending: number
  readonly tokens_in: number
  readonly tokens_out: number
  readonly cost_usd: number | null
  readonly unknown_cost: number
}

interface ReportTotals extends ReportSums {
  readonly usage: Usage
  /** Requests whose answer was lost; they may be billed, and are in no sum. */
  readonly lost: number
}

export interface ReportGroup extends ReportSums {
  readonly name: string
}

/** A run; `null` is what is not known of one that was killed. */
export interface RunRow extends ReportSums {
  readonly run: string
  readonly began: string
  readonly ended: string | null
  readonly stopped: string | null
  readonly prompt: string
  readonly model: string
  readonly simulated: boolean
  readonly wall_ms: number | null
  readonly requests: number | null
  readonly retries: Readonly<Record<string, number>> | null
  readonly skipped: Readonly<Record<string, number>> | null
  /** Documents that were not done, those for which nothing was sent among them. */
  readonly not_done: number | null
  readonly most_in_flight: number | null
  readonly limits: LimitRates | null
  readonly bound_by: string | null
}

interface ErrorGroup {
  /** `400 invalid_request_error: …` */
  readonly error: string
  readonly count: number
  /** Whether the same run may cure it another day. */
  readonly transient: boolean
  /** A few of them. */
  readonly paths: readonly string[]
}

interface TimeBreakdown {
  /** From the run's beginning until it was taken up. */
  readonly slot_ms: number
  /** From then to its first request: reading, and waiting for the rate limit or the cap. */
  readonly limit_ms: number
  /** From the first request to the last one. */
  readonly retries_ms: number
  /** The last request. */
  readonly service_ms: number
}

export interface DocumentRow {
  readonly path: string
  readonly status: DocumentEntry['status']
  readonly time: string
  readonly prompt: string
  readonly model: string
  /** Null: the service did not count. */
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  readonly cost_usd: number | null
  /** Answers that are not, or not wholly, in these sums. */
  readonly uncounted: number
  readonly attempts: number
  readonly wait_ms: number | null
  readonly retry_ms: number | null
  readonly latency_ms: number | null
  /** Why its summary may be worth a look; empty where nothing speaks for that. */
  readonly doubts: readonly string[]
  /** The Message Batch it came out of. */
  readonly batch: string | null
  readonly error: string | null
  /** The file of the summary or the record, below the output folder. */
  readonly file: string | null
  /** What is in it, where that was asked for. */
  readonly text?: string
}

/** A run as it was recorded. */
export interface RecordedRun {
  readonly start: RunStart
  readonly end?: RunEnd
  /** Their paths as seen from one working directory. */
  readonly entries: readonly DocumentEntry[]
  /** Of lines that later ones have taken the place of. */
  readonly compacted?: Totals
}

export interface ReportJsonOptions {
  readonly createdAt: string
  readonly programVersion: string
  /** The texts of documents, by their paths. */
  readonly texts?: ReadonlyMap<string, string>
}

/** What recorded runs come to. Simulated ones are left out of the sums beside others. */
export function buildReportJson(
  recorded: readonly RecordedRun[],
  { createdAt: made, programVersion: program, texts }: ReportJsonOptions,
): ReportJson {
  const simulated = recorded.length > 0 && recorded.every(({ start: run }) => run.simulated)
  const summedRuns = simulated ? recorded : recorded.filter(({ start: run }) => !run.simulated)
  const lines = summedRuns.flatMap(({ entries: lines }) => lines)
  const total = sumTotals(summedRuns.map(sumRun))
  const latestByPath = new Map(
    recorded.flatMap(({ entries: lines }) => lines.map((line) => [line.path, line] as const)),
  )
  const [singleRun] = recorded.length === 1 ? recorded : []
  const groupBy = (nameOf: (line: DocumentEntry) => string) => groupEntries(lines, nameOf)
  return {
    format: 'claude-batch report',
    version: reportFormatVersion,
    made,
    program,
    simulated,
    totals: { ...toReportSums(total), usage: total.usage, lost: total.lost },
    runs: recorded.map(toRunRow),
    by: {
      day: groupBy(({ time }) => time.slice(0, 10)).sort((a, b) => (a.name < b.name ? -1 : 1)),
      model: groupBy(({ model }) => model),
      prompt: groupBy(({ prompt }) => prompt),
      folder: groupBy(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.'),
    },
    errors: groupErrors([...latestByPath.values()]),
    latency: computeDistribution(lines.flatMap(({ latency_ms: ms }) => toKnownMs(ms) ?? [])),
    time: computeTimeBreakdown(summedRuns),
    timeline: singleRun === undefined ? null : computeTimeline(singleRun),
    documents: [...latestByPath.values()].map((line) => toDocumentRow(line, texts?.get(line.path))),
  }
}

function sumRun({ entries: lines, compacted: dropped = emptyTotals }: RecordedRun): Totals {
  return sumTotals([dropped, ...lines.map(toTotals)])
}

function sumTotals(accounts: readonly Totals[]): Totals {
  return accounts.reduce(addTotals, emptyTotals)
}

function toReportSums({
  summarized,
  failed,
  pending,
  usage,
  cost_picodollars,
  unknown_cost,
}: Totals): ReportSums {
  return {
    summarized,
    failed,
    pending,
    tokens_in: sumInputTokens(usage),
    tokens_out: usage.output,
    cost_usd:
      unknown_cost > 0 && cost_picodollars === '0' ? null : Number(formatExactUsd(BigInt(cost_picodollars))),
    unknown_cost,
  }
}

function toRunRow(recorded: RecordedRun): RunRow {
  const { start: run, end } = recorded
  return {
    run: run.run,
    began: run.time,
    ended: end?.time ?? null,
    stopped: end?.stopped ?? null,
    prompt: run.prompt,
    model: run.model,
    simulated: run.simulated ?? false,
    ...toReportSums(sumRun(recorded)),
    wall_ms: toKnownMs(end?.wall_ms),
    requests: end?.requests ?? null,
    retries: end?.retries ?? null,
    skipped: end?.skipped ?? null,
    not_done: end?.documents.pending ?? null,
    most_in_flight: end?.most_in_flight ?? null,
    limits: end?.limits ?? null,
    bound_by: end?.bound_by ?? null,
  }
}

function groupEntries(
  lines: readonly DocumentEntry[],
  nameOf: (line: DocumentEntry) => string,
): ReportGroup[] {
  const accounts = new Map<string, Totals>()
  for (const line of lines) {
    const name = nameOf(line)
    accounts.set(name, addTotals(accounts.get(name) ?? emptyTotals, toTotals(line)))
  }
  return [...accounts]
    .map(([name, account]) => ({ name, ...toReportSums(account) }))
    .sort(
      (a, b) =>
        (b.cost_usd ?? 0) - (a.cost_usd ?? 0) || b.tokens_in - a.tokens_in || (a.name < b.name ? -1 : 1),
    )
}

const maxListedPaths = 5

function groupErrors(lines: readonly DocumentEntry[]): ErrorGroup[] {
  const found = new Map<string, { count: number; transient: boolean; paths: string[] }>()
  for (const line of lines) {
    const error = formatEntryError(line)
    if (error === null) continue
    const group = found.get(error) ?? { count: 0, transient: line.error?.transient ?? false, paths: [] }
    if (group.count++ < maxListedPaths) group.paths.push(line.path)
    found.set(error, group)
  }
  return [...found].map(([error, group]) => ({ error, ...group })).sort((a, b) => b.count - a.count)
}

function formatEntryError({ error, status }: DocumentEntry): string | null {
  if (status !== 'failed') return null
  return error === undefined ? 'failed' : `${error.kind} ${error.type}: ${error.message}`
}

function computeTimeBreakdown(recorded: readonly RecordedRun[]): TimeBreakdown {
  let [slot, limit, retries, service] = [0, 0, 0, 0]
  for (const { start: run, entries: lines } of recorded) {
    const began = Date.parse(run.time)
    for (const { time, elapsed_ms, wait_ms, retry_ms, latency_ms, batch } of lines) {
      // Its time was the batch's, and that of everything else in it.
      if (batch !== undefined) continue
      slot += Math.max(0, Date.parse(time) - (toKnownMs(elapsed_ms) ?? 0) - began)
      limit += toKnownMs(wait_ms) ?? 0
      retries += toKnownMs(retry_ms) ?? 0
      service += toKnownMs(latency_ms) ?? 0
    }
  }
  return { slot_ms: slot, limit_ms: limit, retries_ms: retries, service_ms: service }
}

function toDocumentRow(line: DocumentEntry, text: string | undefined): DocumentRow {
  const { path, status, time, prompt, model, usage, cost_usd, attempts } = line
  return {
    path,
    status,
    time,
    prompt,
    model,
    tokens_in: usage === null ? null : sumInputTokens(usage),
    tokens_out: usage?.output ?? null,
    cost_usd,
    uncounted: line.uncounted ?? 0,
    attempts,
    wait_ms: toKnownMs(line.wait_ms),
    retry_ms: toKnownMs(line.retry_ms),
    latency_ms: toKnownMs(line.latency_ms),
    doubts: line.doubts ?? [],
    batch: line.batch ?? null,
    error: formatEntryError(line),
    file: line.output?.file ?? null,
    ...(text !== undefined && { text }),
  }
}

/** A duration, or null for one that is unknown: negative, from before a clock was set back, or absent. */
function toKnownMs(ms: number | null | undefined): number | null {
  return typeof ms === 'number' && ms >= 0 ? ms : null
}
