import type { ChalkInstance } from 'chalk'
import type { Counted } from '../core/document/count-with-example.ts'
import { unchanged } from '../core/document/overwrite-policy.ts'
import type { Budget } from '../core/pricing/budget.ts'
import { isSameModel } from '../core/pricing/models.ts'
import { dollars } from '../core/pricing/price.ts'
import { promptTokens } from '../core/pricing/usage.ts'
import { boundBy } from '../core/rate-limit/bottleneck.ts'
import { limitNames, type PaceAccount } from '../core/rate-limit/limiter-state.ts'
import type { Report } from '../core/run/run-stats.ts'
import { printable } from '../core/text/escape-control.ts'
import { duration } from '../core/text/format-duration.ts'
import { whole } from '../core/text/format-number.ts'

/** What the report says beside its numbers. */
export interface Setting {
  /** `summarize@v2 (shipped)`. */
  readonly prompt: string
  readonly model: string
  /** Where the summaries are; undefined when they went to stdout. */
  readonly out?: string
  readonly pace: PaceAccount
  /** What might be spent, and was; undefined without bounds. */
  readonly budget?: Budget
  readonly simulated: boolean
  /** Documents that had a summary and were summarized again, by the reason. */
  readonly again: ReadonlyMap<string, Counted>
}

/** The account of a run, as a few lines for a person. */
export function reportText(report: Report, setting: Setting, paint: ChalkInstance): string {
  const { documents, usage, latency, firstToken, requests } = report
  const total = Object.values(documents).reduce((sum, count) => sum + count, 0)
  const rows: [string, string][] = [['documents', `${whole(total)}: ${outcomes(report, paint)}`]]
  if (setting.again.size > 0) rows.push(['again', documentsBy(setting.again)])
  if (report.doubtfulBy.size > 0) rows.push(['doubtful', documentsBy(report.doubtfulBy)])
  if (requests > 0) {
    rows.push(
      ['tokens', `${whole(promptTokens(usage))} in, ${whole(usage.output)} out`],
      ['cost', costText(report, setting)],
    )
    rows.push(['requests', `${whole(requests)}${retries(report)}`])
  }
  if (setting.budget !== undefined) rows.push(['cap', cap(setting.budget, report)])
  if (latency !== undefined) rows.push(['latency', spread(latency)])
  if (firstToken !== undefined) rows.push(['first text', spread(firstToken)])
  const atOnce = requests > 1 ? `, up to ${setting.pace.mostInFlight} at once` : ''
  rows.push(['time', `${duration(report.wallMs)}${atOnce}`])
  if (requests > 1) rows.push(['bound by', boundBy(report, setting.pace)])
  for (const name of limitNames) {
    const [given, seen] = [setting.pace.given[name], setting.pace.seen[name]]
    if (given === undefined || seen === undefined || given <= seen) continue
    rows.push([
      'note',
      `${flagOf[name]} ${given} is above the real limit of ${whole(seen)}, which was kept to`,
    ])
  }
  for (const [model, count] of report.answeredBy) {
    if (isSameModel(model, setting.model)) continue
    const answers = count === 1 ? '1 answer' : `${whole(count)} answers`
    rows.push(['note', `${answers} came from ${printable(model)}, and cost what that costs`])
  }
  rows.push(['prompt', `${printable(setting.prompt)}, ${printable(setting.model)}`])
  if (setting.out !== undefined && documents.summarized + documents.failed > 0)
    rows.push(['written to', printable(setting.out)])
  return `${rows.map(([name, value]) => `${paint.dim(name.padEnd(10))} ${value}`).join('\n')}\n`
}

function spread({ p50, p95, p99 }: NonNullable<Report['latency']>): string {
  if (p50 === p99) return duration(p50)
  return `p50 ${duration(p50)}, p95 ${duration(p95)}, p99 ${duration(p99)}`
}

const flagOf = { requests: '--rpm', inputTokens: '--itpm', outputTokens: '--otpm' } as const

function outcomes({ documents, transient, skippedBy }: Report, paint: ChalkInstance): string {
  const parts = [paint.green(`${whole(documents.summarized)} summarized`)]
  if (documents.failed > 0) {
    const hint =
      transient === 0
        ? ''
        : transient === documents.failed
          ? ' (worth running again)'
          : ` (${whole(transient)} worth running again)`
    parts.push(paint.red(`${whole(documents.failed)} failed${hint}`))
  }
  if (documents.skipped > 0) parts.push(`${whole(documents.skipped)} skipped (${documentsBy(skippedBy)})`)
  if (documents.pending > 0) parts.push(paint.yellow(`${whole(documents.pending)} not done`))
  return parts.join(', ')
}

/** What it cost, as far as that is known, and what is not. */
export function costText(
  { cost, unknownCost, lostReplies }: Pick<Report, 'cost' | 'unknownCost' | 'lostReplies'>,
  { simulated, model }: Pick<Setting, 'simulated' | 'model'>,
): string {
  const known =
    unknownCost === 0 ? dollars(cost) : cost === 0n ? 'unknown' : `${dollars(cost)} and an unknown part`
  const why =
    unknownCost === 0 ? '' : ` (${whole(unknownCost)} without usage or a price for ${printable(model)})`
  const lost =
    lostReplies === 0
      ? ''
      : `; ${lostReplies === 1 ? '1 reply was' : `${whole(lostReplies)} replies were`} lost on the way and may be billed too`
  return `${known}${why}${lost}${simulated ? ' (simulated: nothing was spent)' : ''}`
}

/** What is counted as spent beyond what was billed for sure are answers that were lost. */
function cap({ cap, spent }: Budget, { cost }: Report): string {
  const perhaps =
    spent > cost ? ` (up to ${dollars(spent - cost)} of it for answers that were lost or not counted)` : ''
  return `${dollars(cap)}, of which ${dollars(spent)} is used${perhaps}`
}

function retries({ retriesBy }: Report): string {
  const total = [...retriesBy.values()].reduce((sum, count) => sum + count, 0)
  if (total === 0) return ''
  return `, of them ${whole(total)} ${total === 1 ? 'retry' : 'retries'} (${breakdown(retriesBy)})`
}

/** Those that are few are named, but for what was only to be expected. */
function documentsBy(counts: ReadonlyMap<string, Counted>): string {
  return [...counts]
    .sort(([, a], [, b]) => b.count - a.count)
    .map(([reason, { count, paths }]) => {
      const names =
        reason === unchanged.type
          ? ''
          : [...paths]
              .sort()
              .map((path) => printable(path))
              .join(', ')
      return `${whole(count)} × ${printable(reason)}${names === '' ? '' : `: ${names}`}`
    })
    .join('; ')
}

function breakdown(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${whole(count)} × ${printable(reason)}`)
    .join(', ')
}
