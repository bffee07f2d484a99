import type { ReportJson, RunRow } from '../core/report/report-json.ts'
import { providerTraits } from '../core/request/providers.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { countKnownDocuments, countOutcomes } from './count-documents.ts'
import { describeCode, describeRetryCauses } from './describe-code.ts'
import { explainBottleneck } from './explain-bottleneck.ts'
import { formatAllDigitsUsd, formatRoundedCount, formatRoundedUsd, type Quantity } from './quantity.ts'
import {
  formatCost,
  formatCount,
  formatMs,
  formatTokens,
  formatUsdOrUnknown,
  unknownText,
} from './report-format.ts'
import { isAboutPartOfFolder } from './report-headline.ts'

/** One of the main numbers of a report, formatted. */
export interface Figure {
  readonly name: string
  readonly value: Quantity
  /** Shown next to the number. */
  readonly notes: readonly Quantity[]
  /** Set if the number should be 0 but is not. */
  readonly isBad?: true
}

/** Returns the main figures: documents, cost, tokens, time, failures. */
export function buildFigures(report: ReportJson): Figure[] {
  const { totals, runs } = report
  const { summarized, failed, transient, pending } = countOutcomes(report)
  const scope = runs.length === 1 ? ' in this run' : ' in these runs'
  return [
    {
      name: `Documents${isAboutPartOfFolder(report) ? scope : ''}`,
      value: formatCount(countKnownDocuments(report)),
      notes: listDocumentNotes(report, summarized, pending),
    },
    buildCostFigure(report),
    {
      name: 'Tokens in',
      value: toTokenQuantity(totals, 'in'),
      notes: [toTokenQuantity(totals, 'out', ' out')],
    },
    { name: 'Time', ...buildTimeFigure(report) },
    {
      name: 'Failed',
      value: formatCount(failed),
      ...(failed === 0 ? { notes: [] } : { notes: [describeRetryability(failed, transient)], isBad: true }),
    },
  ]
}

function buildCostFigure({ totals, simulated }: ReportJson): Figure {
  const { cost_usd: usd, summarized: good, documents_with_unknown_cost: uncounted } = totals
  const each = good > 1 && uncounted === 0 && usd !== null && usd > 0 ? usd / good : undefined
  const priced = { ...totals, simulated }
  return {
    name: 'Cost',
    value: {
      short: formatCost(priced, formatRoundedUsd),
      exact: formatCost(priced, formatAllDigitsUsd),
    },
    notes: [
      ...(simulated ? ['nothing was spent'] : []),
      ...(each === undefined
        ? []
        : [{ short: `${formatRoundedUsd(each)} a summary`, exact: `${formatUsdOrUnknown(each)} a summary` }]),
      ...listCostNotes(totals),
    ],
  }
}

/** @param suffix such as ` out` */
function toTokenQuantity(totals: ReportJson['totals'], direction: 'in' | 'out', suffix = ''): Quantity {
  return {
    short: formatTokens(totals, direction, formatRoundedCount) + suffix,
    exact: formatTokens(totals, direction) + suffix,
  }
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
    ...(limitedBy === null || (requests ?? 0) < 2 ? [] : [explainBottleneck(limitedBy)]),
    ...(total === 0
      ? []
      : [
          `${formatCount(requests ?? 0)} requests, including ${formatCount(total, 'retry', 'retries')} (${describeRetryCauses(again)}).`,
        ]),
  ]
}
