import type { ReportJson, RunRow } from '../core/report/report-json.ts'
import { providerTraits } from '../core/request/providers.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { describeCode, describeRetryCauses } from './describe-code.ts'
import {
  formatCost,
  formatCount,
  formatMs,
  formatTimestamp,
  formatTokens,
  formatUsdOrUnknown,
  unknownText,
} from './report-format.ts'

/** One of the main numbers of a report, formatted. */
export interface Figure {
  readonly name: string
  readonly value: string
  /** Shown next to the number. */
  readonly notes: readonly string[]
  /** Set if the number should be 0 but is not. */
  readonly isBad?: true
}

/** Returns the result of a report in one line. */
export function getHeadline(report: ReportJson): string {
  const { runs, documents } = report
  if (runs.length === 0) return 'No runs yet'
  if (documents.length === 0) return 'No document was sent'
  const { summarized } = countOutcomes(report)
  const total = countKnownDocuments(report)
  if (total === 1) return summarized === 1 ? '1 document summarized' : 'The document was not summarized'
  if (summarized === total) return `All ${formatCount(total)} documents summarized`
  return `${summarized === 0 ? 'None' : formatCount(summarized)} of ${formatCount(total)} documents summarized`
}

/** Returns when the runs took place, then their prompts and models: `2026-11-22 12:00 UTC`, … */
export function describeRuns({ runs, groups: by, simulated }: ReportJson): string[] {
  const [first, last] = [runs[0], runs.at(-1)]
  if (first === undefined || last === undefined) return []
  const [from, to] = [first.started_at, last.started_at].map((time) => time.slice(0, 10))
  const when =
    runs.length === 1
      ? formatTimestamp(first.started_at)
      : `${formatCount(runs.length, 'run')}, ${from === to ? from : `${from} to ${to}`}`
  return [
    when,
    joinNames(
      by.prompt.map(({ name }) => name),
      first.prompt,
      'prompt',
    ),
    joinNames(
      by.model.map(({ name }) => name),
      first.model,
      'model',
    ),
    ...(simulated ? ['simulated: nothing was spent'] : []),
  ]
}

function joinNames(names: readonly string[], fallback: string, noun: string): string {
  return names.length > 2 ? formatCount(names.length, noun) : names.join(' and ') || fallback
}

/** Returns the main figures: documents, cost, tokens, time, failures. */
export function buildFigures(report: ReportJson): Figure[] {
  const { totals, simulated } = report
  const { summarized, failed, transient, pending } = countOutcomes(report)
  const cost = formatCost(totals)
  const { cost_usd: usd, summarized: good } = totals
  const each =
    good > 1 && totals.documents_with_unknown_cost === 0 && usd !== null && usd > 0 ? usd / good : undefined
  return [
    {
      name: 'Documents',
      value: formatCount(countKnownDocuments(report)),
      notes: listDocumentNotes(report, summarized, pending),
    },
    {
      name: 'Cost',
      value: cost,
      notes: [
        ...(simulated ? ['simulated: nothing was spent'] : []),
        ...(each === undefined ? [] : [`${formatUsdOrUnknown(each)} a summary`]),
        ...listCostNotes(totals),
      ],
    },
    { name: 'Tokens in', value: formatTokens(totals, 'in'), notes: [`${formatTokens(totals, 'out')} out`] },
    { name: 'Time', ...buildTimeFigure(report) },
    {
      name: 'Failed',
      value: formatCount(failed),
      ...(failed === 0 ? { notes: [] } : { notes: [describeRetryability(failed, transient)], isBad: true }),
    },
  ]
}

function describeRetryability(failed: number, transient: number): string {
  if (transient === 0) return 'permanent'
  if (failed === 1) return 'retryable'
  return `${transient === failed ? 'all' : formatCount(transient)} retryable`
}

function listDocumentNotes({ runs }: ReportJson, summarized: number, pending: number): string[] {
  const skipped = runs.length === 1 ? Object.entries(runs[0]?.skipped_by_reason ?? {}) : []
  return [
    ...(summarized > 0 ? [`${formatCount(summarized)} summarized`] : []),
    ...(pending > 0 ? [`${formatCount(pending)} pending`] : []),
    ...skipped.map(([reason, count]) => `${formatCount(count)} skipped: ${describeCode(reason, count)}`),
  ]
}

function listCostNotes({
  documents_with_unknown_cost: uncounted,
  lost_replies: lost,
}: ReportJson['totals']): string[] {
  return [
    ...(uncounted > 0 ? [`${formatCount(uncounted)} without usage or a price`] : []),
    ...(lost > 0 ? [`${formatCount(lost, 'response')} lost in transit, may be billed too`] : []),
  ]
}

function buildTimeFigure({ runs, simulated }: ReportJson): Pick<Figure, 'value' | 'notes'> {
  const [singleRun] = runs.length === 1 ? runs : []
  if (singleRun !== undefined) {
    const { max_in_flight: most, duration_ms: wall } = singleRun
    return {
      value: formatMs(wall),
      notes: most === null || most < 2 ? [] : [`up to ${formatCount(most)} requests in flight`],
    }
  }
  const summedRuns = runs.filter((run) => simulated || !run.simulated)
  const lengths = summedRuns.flatMap(({ duration_ms: wall }) => wall ?? [])
  if (lengths.length === 0) return { value: unknownText, notes: [] }
  const which = lengths.length === summedRuns.length ? '' : `${formatCount(lengths.length)} of `
  return {
    value: formatDuration(lengths.reduce((sum, length) => sum + length, 0)),
    notes: [`in ${which}${formatCount(summedRuns.length, 'run')}`],
  }
}

/**
 * Returns sentences that qualify the figures: simulated runs, list prices, an unrecorded or early end, limits and
 * retries.
 */
export function listRemarks({ runs, simulated }: ReportJson): string[] {
  const simulatedRuns = runs.filter((run) => run.simulated).length
  const simulationNote =
    simulatedRuns > 0 && !simulated
      ? [
          `${formatCount(simulatedRuns, 'simulated run')} ${simulatedRuns === 1 ? 'is' : 'are'} not in the totals.`,
        ]
      : []
  const [singleRun] = runs.length === 1 ? runs : []
  return [
    ...simulationNote,
    ...describeListPrices(runs),
    ...(singleRun === undefined ? [] : describeRunEnd(singleRun)),
  ]
}

/** Returns a sentence about runs at services that set their own prices. */
function describeListPrices(runs: readonly RunRow[]): string[] {
  const services = runs.filter((run) => !run.simulated).map(({ provider }) => providerTraits[provider])
  const labels = [...new Set(services.filter(({ hasOwnTerms }) => hasOwnTerms).map(({ label }) => label))]
  return labels.length === 0
    ? []
    : [`Costs at ${labels.join(' and ')} are list prices, unless you set prices; the bill may differ.`]
}

function describeRunEnd({
  ended_at: ended,
  stop_reason: stopped,
  limited_by: limitedBy,
  requests,
  retries_by_cause: retries,
}: RunRow): string[] {
  if (ended === null)
    return [
      'The end of this run is not recorded: it was killed or is still running. The figures show what it did so far.',
    ]
  const again = Object.entries(retries ?? {})
  const total = again.reduce((sum, [, count]) => sum + count, 0)
  return [
    ...(stopped === null ? [] : [`The run stopped early: ${stopped}.`]),
    ...(limitedBy === null || (requests ?? 0) < 2 ? [] : [`Limited by: ${limitedBy}.`]),
    ...(total === 0
      ? []
      : [
          `${formatCount(requests ?? 0)} requests, including ${formatCount(total, 'retry', 'retries')} (${describeRetryCauses(again)}).`,
        ]),
  ]
}

/** Counts documents by their latest known status. */
function countOutcomes({ documents, errors, runs }: ReportJson) {
  const count = (status: string) => documents.filter((row) => row.status === status).length
  const pendingRows = count('pending')
  return {
    summarized: count('summarized'),
    failed: count('failed'),
    transient: errors.reduce((sum, error) => sum + (error.transient ? error.count : 0), 0),
    pending: runs.length === 1 ? Math.max(pendingRows, runs[0]?.total_pending ?? 0) : pendingRows,
  }
}

/** Counts all documents except skipped ones: summarized, failed and pending. */
function countKnownDocuments(report: ReportJson): number {
  const { summarized, failed, pending } = countOutcomes(report)
  return summarized + failed + pending
}
