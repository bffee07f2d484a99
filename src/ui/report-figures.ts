import type { ReportFile, RunRow } from '../core/report/report-json.ts'
import { duration } from '../core/text/format-duration.ts'
import { costWords, counted, instant, money, ms, tokens, unknown } from './report-words.ts'

/** A number that matters, in words. */
export interface Figure {
  readonly name: string
  readonly value: string
  /** What must be said beside it. */
  readonly notes: readonly string[]
  /** It should be 0. */
  readonly bad?: true
}

/** What a report comes to, in one line. */
export function headline(report: ReportFile): string {
  const { runs, documents } = report
  if (runs.length === 0) return 'No runs yet'
  if (documents.length === 0) return 'No document was sent'
  const { summarized } = outcomes(report)
  const all = known(report)
  if (all === 1) return summarized === 1 ? '1 document summarized' : 'The document was not summarized'
  if (summarized === all) return `All ${counted(all)} documents summarized`
  return `${summarized === 0 ? 'None' : counted(summarized)} of ${counted(all)} documents summarized`
}

/** When and with what: `2026-11-22 12:00 UTC`, the prompts, the models. */
export function setting({ runs, by, simulated }: ReportFile): string[] {
  const [first, last] = [runs[0], runs.at(-1)]
  if (first === undefined || last === undefined) return []
  const [from, to] = [first.began, last.began].map((time) => time.slice(0, 10))
  const when =
    runs.length === 1
      ? instant(first.began)
      : `${counted(runs.length, 'run')}, ${from === to ? from : `${from} to ${to}`}`
  return [
    when,
    several(
      by.prompt.map(({ name }) => name),
      first.prompt,
      'prompt',
    ),
    several(
      by.model.map(({ name }) => name),
      first.model,
      'model',
    ),
    ...(simulated ? ['simulated: nothing was spent'] : []),
  ]
}

function several(names: readonly string[], otherwise: string, what: string): string {
  return names.length > 2 ? counted(names.length, what) : names.join(' and ') || otherwise
}

/** The few that matter: documents, cost, tokens, time, failures. */
export function figures(report: ReportFile): Figure[] {
  const { totals, simulated } = report
  const { summarized, failed, transient, notDone } = outcomes(report)
  const cost = costWords(totals)
  const { cost_usd: usd, summarized: good } = totals
  const each = good > 1 && totals.unknown_cost === 0 && usd !== null && usd > 0 ? usd / good : undefined
  return [
    { name: 'Documents', value: counted(known(report)), notes: documentNotes(report, summarized, notDone) },
    {
      name: 'Cost',
      value: cost,
      notes: [
        ...(simulated ? ['simulated: nothing was spent'] : []),
        ...(each === undefined ? [] : [`${money(each)} a summary`]),
        ...costNotes(totals),
      ],
    },
    { name: 'Tokens in', value: tokens(totals, 'in'), notes: [`${tokens(totals, 'out')} out`] },
    { name: 'Time', ...time(report) },
    {
      name: 'Failed',
      value: counted(failed),
      ...(failed === 0 ? { notes: [] } : { notes: [again(failed, transient)], bad: true }),
    },
  ]
}

function again(failed: number, transient: number): string {
  if (transient === 0) return `will fail again as ${failed === 1 ? 'it is' : 'they are'}`
  if (failed === 1) return 'worth running again'
  return `${transient === failed ? 'all' : counted(transient)} worth running again`
}

function documentNotes({ runs }: ReportFile, summarized: number, notDone: number): string[] {
  const skipped = runs.length === 1 ? Object.entries(runs[0]?.skipped ?? {}) : []
  return [
    ...(summarized > 0 ? [`${counted(summarized)} summarized`] : []),
    ...(notDone > 0 ? [`${counted(notDone)} not done`] : []),
    ...skipped.map(([reason, count]) => `${counted(count)} skipped: ${reason}`),
  ]
}

function costNotes({ unknown_cost: uncounted, lost }: ReportFile['totals']): string[] {
  return [
    ...(uncounted > 0 ? [`${counted(uncounted)} without usage or a price`] : []),
    ...(lost > 0 ? [`${counted(lost, 'reply', 'replies')} lost on the way, may be billed too`] : []),
  ]
}

function time({ runs, simulated }: ReportFile): Pick<Figure, 'value' | 'notes'> {
  const [only] = runs.length === 1 ? runs : []
  if (only !== undefined) {
    const { most_in_flight: most, wall_ms: wall } = only
    return { value: ms(wall), notes: most === null || most < 2 ? [] : [`up to ${counted(most)} at once`] }
  }
  const meant = runs.filter((run) => simulated || !run.simulated)
  const lengths = meant.flatMap(({ wall_ms: wall }) => wall ?? [])
  if (lengths.length === 0) return { value: unknown, notes: [] }
  const which = lengths.length === meant.length ? '' : `${counted(lengths.length)} of `
  return {
    value: duration(lengths.reduce((sum, length) => sum + length, 0)),
    notes: [`in ${which}${counted(meant.length, 'run')}`],
  }
}

/** What else must be known before the figures are believed: sentences. */
export function remarks({ runs, simulated }: ReportFile): string[] {
  const pretended = runs.filter((run) => run.simulated).length
  const beside =
    pretended > 0 && !simulated
      ? [`${counted(pretended, 'simulated run')} ${pretended === 1 ? 'is' : 'are'} in no sum.`]
      : []
  const [only] = runs.length === 1 ? runs : []
  return [...beside, ...(only === undefined ? [] : endOf(only))]
}

function endOf({ ended, stopped, bound_by: bound, requests, retries }: RunRow): string[] {
  if (ended === null)
    return [
      'The end of this run is not recorded: it was killed, or is still going. This is what it did so far.',
    ]
  const again = Object.entries(retries ?? {})
  const total = again.reduce((sum, [, count]) => sum + count, 0)
  const why = again.map(([reason, count]) => `${counted(count)} × ${reason}`).join(', ')
  return [
    ...(stopped === null ? [] : [`It stopped before everything was done: ${stopped}.`]),
    ...(bound === null || (requests ?? 0) < 2 ? [] : [`What kept it from being faster: ${bound}.`]),
    ...(total === 0
      ? []
      : [`${counted(requests ?? 0)} requests, of them ${counted(total, 'retry', 'retries')} (${why}).`]),
  ]
}

/** How the documents ended, as far as is known last. */
function outcomes({ documents, errors, runs }: ReportFile) {
  const count = (status: string) => documents.filter((row) => row.status === status).length
  const pending = count('pending')
  return {
    summarized: count('summarized'),
    failed: count('failed'),
    transient: errors.reduce((sum, error) => sum + (error.transient ? error.count : 0), 0),
    notDone: runs.length === 1 ? Math.max(pending, runs[0]?.not_done ?? 0) : pending,
  }
}

/** All documents that were meant to be summarized. */
function known(report: ReportFile): number {
  const { summarized, failed, notDone } = outcomes(report)
  return summarized + failed + notDone
}
