import { formatExactUsd } from '../pricing/pricing-rules.ts'
import { addTotals, emptyTotals, type Totals, toTotals } from '../pricing/totals.ts'
import { sumInputTokens } from '../pricing/usage.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../run/ledger-entry.ts'
import { computeDistribution } from './distribution.ts'
import {
  type DocumentRow,
  type ErrorGroup,
  type ReportGroup,
  type ReportJson,
  type ReportSums,
  type RunRow,
  reportFormatVersion,
  type TimeBreakdown,
} from './report-json.ts'
import { computeTimeline } from './timeline.ts'

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
  { createdAt, programVersion, texts }: ReportJsonOptions,
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
    format_version: reportFormatVersion,
    created_at: createdAt,
    program_version: programVersion,
    simulated,
    totals: { ...toReportSums(total), usage: total.usage, lost_replies: total.lost_replies },
    runs: recorded.map(toRunRow),
    groups: {
      day: groupBy(({ ended_at: time }) => time.slice(0, 10)).sort((a, b) => (a.name < b.name ? -1 : 1)),
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
  documents_with_unknown_cost,
}: Totals): ReportSums {
  return {
    summarized,
    failed,
    pending,
    input_tokens: sumInputTokens(usage),
    output_tokens: usage.output_tokens,
    cost_usd:
      documents_with_unknown_cost > 0 && cost_picodollars === '0'
        ? null
        : Number(formatExactUsd(BigInt(cost_picodollars))),
    documents_with_unknown_cost,
  }
}

function toRunRow(recorded: RecordedRun): RunRow {
  const { start: run, end } = recorded
  return {
    run_id: run.run_id,
    started_at: run.started_at,
    ended_at: end?.ended_at ?? null,
    stop_reason: end?.stop_reason ?? null,
    prompt: run.prompt,
    model: run.model,
    simulated: run.simulated ?? false,
    ...toReportSums(sumRun(recorded)),
    duration_ms: toKnownMs(end?.duration_ms),
    requests: end?.requests ?? null,
    retries_by_cause: end?.retries_by_cause ?? null,
    skipped_by_reason: end?.skipped_by_reason ?? null,
    total_pending: end?.documents.pending ?? null,
    max_in_flight: end?.max_in_flight ?? null,
    limits: end?.limits ?? null,
    limited_by: end?.limited_by ?? null,
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
        (b.cost_usd ?? 0) - (a.cost_usd ?? 0) ||
        b.input_tokens - a.input_tokens ||
        (a.name < b.name ? -1 : 1),
    )
}

const maxListedPaths = 5

function groupErrors(lines: readonly DocumentEntry[]): ErrorGroup[] {
  const found = new Map<string, { count: number; transient: boolean; example_paths: string[] }>()
  for (const line of lines) {
    const error = formatEntryError(line)
    if (error === null) continue
    const group = found.get(error) ?? {
      count: 0,
      transient: line.error?.transient ?? false,
      example_paths: [],
    }
    if (group.count++ < maxListedPaths) group.example_paths.push(line.path)
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
    const began = Date.parse(run.started_at)
    for (const { ended_at: time, elapsed_ms, wait_ms, retry_ms, latency_ms, batch_id: batch } of lines) {
      // Its time was the batch's, and that of everything else in it.
      if (batch !== undefined) continue
      slot += Math.max(0, Date.parse(time) - (toKnownMs(elapsed_ms) ?? 0) - began)
      limit += toKnownMs(wait_ms) ?? 0
      retries += toKnownMs(retry_ms) ?? 0
      service += toKnownMs(latency_ms) ?? 0
    }
  }
  return { queued_ms: slot, throttled_ms: limit, retries_ms: retries, api_ms: service }
}

function toDocumentRow(line: DocumentEntry, text: string | undefined): DocumentRow {
  const { path, status, ended_at: time, prompt, model, usage, cost_usd, attempts } = line
  return {
    path,
    status,
    ended_at: time,
    prompt,
    model,
    input_tokens: usage === null ? null : sumInputTokens(usage),
    output_tokens: usage?.output_tokens ?? null,
    cost_usd,
    replies_with_unknown_cost: line.replies_with_unknown_cost ?? 0,
    attempts,
    wait_ms: toKnownMs(line.wait_ms),
    retry_ms: toKnownMs(line.retry_ms),
    latency_ms: toKnownMs(line.latency_ms),
    quality_issues: line.quality_issues ?? [],
    batch_id: line.batch_id ?? null,
    error: formatEntryError(line),
    output_path: line.output?.path ?? null,
    ...(text !== undefined && { output_text: text }),
  }
}

/** A duration, or null for one that is unknown: negative, from before a clock was set back, or absent. */
function toKnownMs(ms: number | null | undefined): number | null {
  return typeof ms === 'number' && ms >= 0 ? ms : null
}
