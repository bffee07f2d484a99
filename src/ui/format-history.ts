import { describeFailure } from '../core/errors/describe-failure.ts'
import { formatUsd } from '../core/pricing/pricing-rules.ts'
import type { Totals } from '../core/pricing/totals.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import type { DocumentEntry, RunStart } from '../core/run/ledger-entry.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'
import { describePrompt } from './describe-prompt.ts'
import { formatTable } from './text-table.ts'

/** What `formatHistory` prints about past runs. */
export interface HistoryView {
  readonly runs: readonly { readonly start: RunStart | undefined; readonly totals: Totals }[]
  /** Totals of the runs that were not simulated. */
  readonly total: Totals
  /** How many documents have a good summary. */
  readonly summarized: number
  readonly failures: ReadonlyMap<string, DocumentEntry>
  readonly damagedLines: number
  readonly stale: readonly { readonly path: string; readonly reason: string }[]
  /** Flagged summaries. */
  readonly flagged: readonly { readonly path: string; readonly reason: string }[]
}

/** The maximum number of runs in the table, and of documents in each list. */
const maxRuns = 20
const maxListed = 50

/** Returns past runs as a table, with lists of failing, stale and flagged documents. */
export function formatHistory({
  runs,
  total,
  summarized,
  failures,
  damagedLines,
  stale,
  flagged,
}: HistoryView): string {
  const rows = runs.slice(-maxRuns).map(({ start: run, totals }) => buildRow(run, totals))
  const simulated = runs.filter(({ start: run }) => run?.simulated).length
  const simulatedNote = simulated === 0 ? '' : `${simulated} simulated not counted`
  // If every run was simulated, a total of $0 would look like a real cost.
  const allSimulated = simulated > 0 && simulated === runs.length
  const totalRows = allSimulated
    ? []
    : [['all', formatCount(runs.length, 'run'), simulatedNote, ...buildTotalsCells(total)]]
  // The first three columns hold words and are left-aligned.
  const parts = [formatTable([heading, ...rows, ...totalRows], 3).trimEnd()]
  if (runs.length > maxRuns)
    parts.push(
      `(${formatCount(runs.length - maxRuns, 'earlier run')} ${allSimulated ? 'not shown' : 'only in the last line'})`,
    )
  parts.push(
    `${formatCount(summarized, 'document')} with a summary, ${failures.size} failing, ${stale.length} stale`,
  )
  if (damagedLines > 0) parts.push(`${formatCount(damagedLines, 'line')} of the ledger cannot be read`)
  const failureReasons = [...failures].map(([path, { error }]) => ({
    path,
    reason: error === undefined ? 'failed' : describeFailure(error),
  }))
  parts.push(
    ...formatList('failing', failureReasons),
    ...formatList('stale', stale),
    ...formatList('flagged', flagged),
  )
  return `${parts.join('\n')}\n`
}

const heading = ['run', 'prompt', 'model', 'done', 'failed', 'tokens in', 'out', 'cost']

function buildRow(run: RunStart | undefined, totals: Totals): string[] {
  const startedAt = run === undefined ? 'unknown' : `${run.started_at.slice(0, 16).replace('T', ' ')} UTC`
  const model = `${run?.model ?? ''}${run?.simulated ? ' (simulated)' : ''}`
  return [startedAt, run === undefined ? '' : describePrompt(run), model, ...buildTotalsCells(totals)]
}

function buildTotalsCells({
  summarized,
  failed,
  usage,
  cost_picodollars,
  documents_with_unknown_cost,
  lost_replies,
}: Totals): string[] {
  const known = formatUsd(BigInt(cost_picodollars))
  const cost =
    documents_with_unknown_cost === 0 ? known : cost_picodollars === '0' ? 'unknown' : `${known} and unknown`
  const tokens = [sumInputTokens(usage), usage.output_tokens].map(formatInteger)
  return [
    String(summarized),
    String(failed),
    ...tokens,
    lost_replies === 0
      ? cost
      : `${cost} (${lost_replies} lost ${lost_replies === 1 ? 'response' : 'responses'})`,
  ]
}

function formatList(
  title: string,
  items: readonly { readonly path: string; readonly reason: string }[],
): string[] {
  if (items.length === 0) return []
  const shown = items
    .slice(0, maxListed)
    .map(({ path, reason }) => `  ${escapeControlChars(`${path}: ${reason}`)}`)
  const more = items.length - shown.length
  return ['', `${title}:`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])]
}

function formatCount(count: number, what: string): string {
  return pluralize(count, what)
}
