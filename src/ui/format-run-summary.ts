import type { ChalkInstance } from 'chalk'
import type { DocumentCount } from '../core/document/document-count.ts'
import { unchangedOutcome } from '../core/document/overwrite-policy.ts'
import type { BudgetState } from '../core/pricing/budget-state.ts'
import { isSameModel } from '../core/pricing/models.ts'
import { formatUsd } from '../core/pricing/pricing-rules.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import { describeBottleneck } from '../core/rate-limit/describe-bottleneck.ts'
import { limitNames, type RateLimiterStats } from '../core/rate-limit/limiter-state.ts'
import type { RunStats } from '../core/run/run-stats.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'
import { describeCode, describeRetryCauses } from './describe-code.ts'

/** What the run summary prints in addition to the statistics. */
export interface RunSummaryContext {
  /** The prompt, its version and its origin: `summarize@v2 (shipped)`. */
  readonly prompt: string
  readonly model: string
  /** The output folder; undefined when summaries went to stdout. */
  readonly out?: string
  readonly limiterStats: RateLimiterStats
  /** The cap and the amount used; undefined without a cap. */
  readonly budget?: BudgetState
  /** What qualifies the cost: `simulated: nothing was spent`. */
  readonly costNote?: string | undefined
  /** Whether the command collects batches and sends no requests for other documents. */
  readonly onlyCollects?: boolean
  /** Documents that had a summary and were summarized again, by reason. */
  readonly rerunReasons: ReadonlyMap<string, DocumentCount>
}

/** Returns a few lines about a finished run: documents, tokens, cost, times, limits. */
export function formatRunSummary(stats: RunStats, context: RunSummaryContext, colors: ChalkInstance): string {
  const { documents, usage, latency, timeToFirstToken, requests } = stats
  const total = Object.values(documents).reduce((sum, count) => sum + count, 0)
  const rows: [string, string][] = [
    ['documents', `${formatInteger(total)}: ${formatOutcomes(stats, context, colors)}`],
  ]
  if (context.rerunReasons.size > 0) rows.push(['redone', formatRerunReasons(context.rerunReasons)])
  if (stats.reused > 0)
    rows.push([
      'reused',
      `${formatInteger(stats.reused)}: same content as another document, so nothing was sent`,
    ])
  if (stats.flaggedByIssue.size > 0) rows.push(['flagged', formatDocumentCounts(stats.flaggedByIssue)])
  if (requests > 0) {
    rows.push(
      ['tokens', `${formatInteger(sumInputTokens(usage))} in, ${formatInteger(usage.output_tokens)} out`],
      ['cost', formatRunCost(stats, context)],
    )
    rows.push(['requests', `${formatInteger(requests)}${formatRetries(stats)}`])
  }
  if (context.budget !== undefined) rows.push(['budget', formatBudget(context.budget, stats)])
  if (latency !== undefined) rows.push(['latency', formatPercentiles(latency)])
  if (timeToFirstToken !== undefined) rows.push(['time to first token', formatPercentiles(timeToFirstToken)])
  const { maxInFlight } = context.limiterStats
  const inFlight =
    requests > 1 && maxInFlight > 0 ? `, up to ${pluralize(maxInFlight, 'request')} in flight` : ''
  rows.push(['time', `${formatDuration(stats.wallMs)}${inFlight}`])
  const bottleneck = describeBottleneck(stats, context.limiterStats)
  if (bottleneck !== undefined) rows.push(['limited by', bottleneck])
  for (const name of limitNames) {
    const [given, seen] = [context.limiterStats.configured[name], context.limiterStats.observed[name]]
    if (given === undefined || seen === undefined || given <= seen) continue
    rows.push([
      'note',
      `${limitFlags[name]} ${given} is above the API's limit of ${formatInteger(seen)}; the run kept to the API's limit`,
    ])
  }
  for (const [model, count] of stats.repliesByModel) {
    if (isSameModel(model, context.model)) continue
    const replies = count === 1 ? '1 reply' : `${formatInteger(count)} replies`
    rows.push([
      'note',
      `${replies} came from ${escapeControlChars(model)} and ${count === 1 ? 'is' : 'are'} priced as such`,
    ])
  }
  rows.push(['prompt', `${escapeControlChars(context.prompt)}, ${escapeControlChars(context.model)}`])
  if (context.out !== undefined && documents.summarized + documents.failed > 0)
    rows.push(['output', escapeControlChars(context.out)])
  for (const step of listNextSteps(stats, context)) rows.push(['next', step])
  const width = Math.max(10, ...rows.map(([name]) => name.length))
  return `${rows.map(([name, value]) => `${colors.dim(name.padEnd(width))} ${value}`).join('\n')}\n`
}

function formatPercentiles({ p50, p95, p99 }: NonNullable<RunStats['latency']>): string {
  if (p50 === p99) return formatDuration(p50)
  return `p50 ${formatDuration(p50)}, p95 ${formatDuration(p95)}, p99 ${formatDuration(p99)}`
}

const limitFlags = { requests: '--rpm', inputTokens: '--itpm', outputTokens: '--otpm' } as const

function formatOutcomes(
  { documents, transientFailures: transient, deferred, inBatch, skippedByReason }: RunStats,
  { onlyCollects = false }: Pick<RunSummaryContext, 'onlyCollects'>,
  colors: ChalkInstance,
): string {
  const parts = [colors.green(`${formatInteger(documents.summarized)} summarized`)]
  if (documents.failed > 0) {
    const hint =
      transient === 0
        ? ''
        : transient === documents.failed
          ? ' (retryable)'
          : ` (${formatInteger(transient)} retryable)`
    parts.push(colors.red(`${formatInteger(documents.failed)} failed${hint}`))
  }
  if (documents.skipped > 0)
    parts.push(`${formatInteger(documents.skipped)} skipped (${formatDocumentCounts(skippedByReason)})`)
  if (inBatch > 0) {
    const hint = `run the same command again to collect ${inBatch === 1 ? 'it' : 'them'}`
    parts.push(colors.yellow(`${formatInteger(inBatch)} in a batch (${hint})`))
  }
  const pending = documents.pending - inBatch
  if (pending > 0) {
    const command = onlyCollects ? 'claude-batch summarize' : 'the same command'
    const hint = deferred > inBatch ? ` (run ${command} again to continue)` : ''
    parts.push(colors.yellow(`${formatInteger(pending)} pending${hint}`))
  }
  return parts.join(', ')
}

/** Returns what the user can do about failed, flagged and edited summaries. Without an output folder, nothing. */
function listNextSteps(
  { documents, transientFailures, flaggedByIssue, skippedByReason }: RunStats,
  { out, onlyCollects = false }: RunSummaryContext,
): readonly string[] {
  if (out === undefined) return []
  const steps: string[] = []
  const command = onlyCollects ? 'claude-batch summarize' : 'the same command'
  if (documents.failed > transientFailures)
    steps.push(`the .error.txt files have the reasons; fix them, then run ${command} again`)
  else if (documents.failed > 0) steps.push(`run ${command} again to retry the failed documents`)
  if (flaggedByIssue.size > 0) steps.push('check the flagged summaries; --redo flagged makes them again')
  if (skippedByReason.has(editedType)) steps.push('--force overwrites the summaries that were edited by hand')
  return steps
}

/** The type of a skipped document whose summary was edited by hand. */
const editedType = 'modified'

/** Returns the known cost of a run and a note about every part that is unknown. */
export function formatRunCost(
  {
    cost,
    repliesWithUnknownCost,
    lostReplies,
  }: Pick<RunStats, 'cost' | 'repliesWithUnknownCost' | 'lostReplies'>,
  { costNote, model }: Pick<RunSummaryContext, 'costNote' | 'model'>,
): string {
  const known =
    repliesWithUnknownCost === 0
      ? formatUsd(cost)
      : cost === 0n
        ? 'unknown'
        : `${formatUsd(cost)} and an unknown part`
  const why =
    repliesWithUnknownCost === 0
      ? ''
      : ` (${formatInteger(repliesWithUnknownCost)} without usage or a price for ${escapeControlChars(model)})`
  const lost =
    lostReplies === 0
      ? ''
      : `; ${lostReplies === 1 ? '1 response was' : `${formatInteger(lostReplies)} responses were`} lost in transit and may be billed too`
  return `${known}${why}${lost}${costNote === undefined ? '' : ` (${costNote})`}`
}

/**
 * Lost responses and replies without usage count as spent at their worst case, because they may be billed.
 */
function formatBudget({ cap, spent }: BudgetState, { cost }: RunStats): string {
  const uncertainNote =
    spent > cost
      ? ` (up to ${formatUsd(spent - cost)} of it for responses that were lost or have no usage)`
      : ''
  return `${formatUsd(cap)}, ${formatUsd(spent)} used${uncertainNote}`
}

function formatRetries({ retriesByCause }: RunStats): string {
  const total = [...retriesByCause.values()].reduce((sum, count) => sum + count, 0)
  if (total === 0) return ''
  return `, including ${formatInteger(total)} ${total === 1 ? 'retry' : 'retries'} (${escapeControlChars(describeRetryCauses(retriesByCause))})`
}

/** Formats counts by reason: `4 empty; 2 duplicates: a.md, b.md`. */
function formatDocumentCounts(counts: ReadonlyMap<string, DocumentCount>): string {
  return sortByCount(counts)
    .map(([code, documents]) => {
      const names = code === unchangedOutcome.type ? '' : formatNames(documents)
      return `${formatInteger(documents.count)} ${escapeControlChars(describeCode(code, documents.count))}${names}`
    })
    .join('; ')
}

/** Formats counts by reason: `3 (model: claude-haiku-5-5 → claude-sonnet-5-5): a.md, b.md, c.md`. */
function formatRerunReasons(counts: ReadonlyMap<string, DocumentCount>): string {
  return sortByCount(counts)
    .map(
      ([reason, documents]) =>
        `${formatInteger(documents.count)} (${escapeControlChars(reason)})${formatNames(documents)}`,
    )
    .join('; ')
}

function sortByCount(counts: ReadonlyMap<string, DocumentCount>): [string, DocumentCount][] {
  return [...counts].sort(([, a], [, b]) => b.count - a.count)
}

/** Returns a colon and the names of the documents; '' if there are more than a few. */
function formatNames({ paths }: DocumentCount): string {
  if (paths.length === 0) return ''
  const names = [...paths].sort().map((path) => escapeControlChars(path))
  return `: ${names.join(', ')}`
}
