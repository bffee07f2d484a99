import { addTotals, emptyTotals, type Totals, toTotals } from '../pricing/totals.ts'
import { sumInputTokens } from '../pricing/usage.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'
import { computeTimeBreakdown } from './compute-time-breakdown.ts'
import { computeDistribution } from './distribution.ts'
import { computeFolderState } from './folder-state.ts'
import { groupEntries } from './group-entries.ts'
import { formatEntryError, groupErrors } from './group-errors.ts'
import { toKnownMs } from './known-ms.ts'
import type { RecordedRun } from './recorded-run.ts'
import {
  type DocumentRow,
  type ReportGroup,
  type ReportJson,
  type RunRow,
  reportFormatVersion,
} from './report-json.ts'
import { toReportSums } from './report-sums.ts'
import { computeTimeline } from './timeline.ts'

export interface ReportJsonOptions {
  readonly createdAt: string
  readonly programVersion: string
  /** The texts of outputs, by document path. */
  readonly texts?: ReadonlyMap<string, string>
  /** All runs of the output folder, if the report is about its present state; see `computeFolderState`. */
  readonly folderRuns?: readonly RecordedRun[] | undefined
}

/** Builds a report of recorded runs. The totals leave out simulated runs, unless all runs are simulated. */
export function buildReportJson(
  recorded: readonly RecordedRun[],
  { createdAt, programVersion, texts, folderRuns }: ReportJsonOptions,
): ReportJson {
  const simulated = recorded.length > 0 && recorded.every(({ start }) => start.simulated)
  const summedRuns = simulated ? recorded : recorded.filter(({ start }) => !start.simulated)
  const entries = summedRuns.flatMap((run) => run.entries)
  const total = sumTotals(summedRuns.map(sumRun))
  const latestByPath = new Map(
    recorded.flatMap(({ start, entries }) =>
      entries.map((entry) => [entry.path, { entry, simulated: start.simulated ?? false }] as const),
    ),
  )
  const [singleRun] = recorded.length === 1 ? recorded : []
  const groupBy = (nameOf: (entry: DocumentEntry) => string) => groupEntries(entries, nameOf)
  return {
    format: 'claude-batch report',
    format_version: reportFormatVersion,
    created_at: createdAt,
    program_version: programVersion,
    simulated,
    output_folder: folderRuns === undefined ? null : computeFolderState(folderRuns),
    totals: { ...toReportSums(total), usage: total.usage, lost_replies: total.lost_replies },
    runs: recorded.map(toRunRow),
    groups: {
      day: inOrder(groupBy(({ ended_at }) => ended_at.slice(0, 10))),
      month: inOrder(groupBy(({ ended_at }) => ended_at.slice(0, 7))),
      model: groupBy(({ model }) => model),
      prompt: groupBy(({ prompt }) => prompt),
      folder: groupBy(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.'),
    },
    errors: groupErrors([...latestByPath.values()].map(({ entry }) => entry)),
    latency: computeDistribution(entries.flatMap(({ latency_ms }) => toKnownMs(latency_ms) ?? [])),
    time: computeTimeBreakdown(summedRuns),
    timeline: singleRun === undefined ? null : computeTimeline(singleRun),
    documents: [...latestByPath.values()].map(({ entry, simulated }) =>
      toDocumentRow(entry, simulated, texts?.get(entry.path)),
    ),
  }
}

/** Days and months read best in order. */
function inOrder(groups: readonly ReportGroup[]): ReportGroup[] {
  return [...groups].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function sumRun({ entries, compacted = emptyTotals }: RecordedRun): Totals {
  return sumTotals([compacted, ...entries.map(toTotals)])
}

function sumTotals(totals: readonly Totals[]): Totals {
  return totals.reduce(addTotals, emptyTotals)
}

function toRunRow(recorded: RecordedRun): RunRow {
  const { start, end } = recorded
  return {
    run_id: start.run_id,
    started_at: start.started_at,
    ended_at: end?.ended_at ?? null,
    stop_reason: end?.stop_reason ?? null,
    prompt: start.prompt,
    instructions: start.instructions ?? null,
    model: start.model,
    simulated: start.simulated ?? false,
    provider: start.provider ?? 'anthropic',
    ...toReportSums(sumRun(recorded)),
    duration_ms: toKnownMs(end?.duration_ms),
    requests: end?.requests ?? null,
    retries_by_cause: end?.retries_by_cause ?? null,
    skipped_by_reason: end?.skipped_by_reason ?? null,
    not_read_by_extension: end?.not_read_by_extension ?? null,
    total_pending: end?.documents.pending ?? null,
    max_in_flight: end?.max_in_flight ?? null,
    limits: end?.limits ?? null,
    limited_by: end?.limited_by ?? null,
  }
}

function toDocumentRow(entry: DocumentEntry, simulated: boolean, text: string | undefined): DocumentRow {
  const { path, status, ended_at, prompt, model, usage, cost_usd, attempts } = entry
  return {
    path,
    status,
    simulated,
    ended_at,
    prompt,
    model,
    input_tokens: usage === null ? null : sumInputTokens(usage),
    output_tokens: usage?.output_tokens ?? null,
    cost_usd,
    replies_with_unknown_cost: entry.replies_with_unknown_cost ?? 0,
    attempts,
    wait_ms: toKnownMs(entry.wait_ms),
    retry_ms: toKnownMs(entry.retry_ms),
    latency_ms: toKnownMs(entry.latency_ms),
    quality_issues: entry.quality_issues ?? [],
    ...(entry.citations !== undefined && { citations: entry.citations }),
    batch_id: entry.batch_id ?? null,
    error: formatEntryError(entry),
    output_path: entry.output?.path ?? null,
    ...(text !== undefined && { output_text: text }),
  }
}
