import { dollars } from '../core/pricing/price.ts'
import type { Account } from '../core/pricing/totals.ts'
import { promptTokens } from '../core/pricing/usage.ts'
import type { DocumentLine, RunLine } from '../core/run/ledger-entry.ts'
import { printable } from '../core/text/escape-control.ts'
import { manyOf, whole } from '../core/text/format-number.ts'
import { textTable } from './table.ts'

/** What is told of past runs. */
export interface HistoryView {
  readonly runs: readonly { readonly run: RunLine | undefined; readonly account: Account }[]
  /** Of the runs that were not simulated. */
  readonly total: Account
  /** How many documents have a good summary. */
  readonly standing: number
  readonly failing: ReadonlyMap<string, DocumentLine>
  readonly damaged: number
  readonly stale: readonly { readonly path: string; readonly reason: string }[]
  /** Summaries that may be worth a look. */
  readonly doubtful: readonly { readonly path: string; readonly reason: string }[]
}

/** So many of the latest runs have a line of their own, and so many documents in each list. */
const mostRuns = 20
const mostListed = 50

/** The account of past runs, as a table and lists for a person. */
export function historyText({
  runs,
  total,
  standing,
  failing,
  damaged,
  stale,
  doubtful,
}: HistoryView): string {
  const rows = runs.slice(-mostRuns).map(({ run, account }) => rowOf(run, account))
  const simulated = runs.filter(({ run }) => run?.simulated).length
  const without = simulated === 0 ? '' : `${simulated} simulated not counted`
  // A sum of nothing would look like money that nobody had to pay.
  const unpaid = simulated > 0 && simulated === runs.length
  const all = unpaid ? [] : [['all', counted(runs.length, 'run'), without, ...cellsOf(total)]]
  // The first three columns are words.
  const parts = [textTable([heading, ...rows, ...all], 3).trimEnd()]
  if (runs.length > mostRuns)
    parts.push(
      `(${counted(runs.length - mostRuns, 'earlier run')} ${unpaid ? 'not shown' : 'in the last line alone'})`,
    )
  parts.push(
    `${counted(standing, 'document')} with a summary, ${failing.size} failing, ${stale.length} stale`,
  )
  if (damaged > 0) parts.push(`${counted(damaged, 'line')} of the ledger cannot be read`)
  const failures = [...failing].map(([path, { error }]) => ({
    path,
    reason: error === undefined ? 'failed' : `${error.kind} ${error.type}: ${error.message}`,
  }))
  parts.push(...list('failing', failures), ...list('stale', stale), ...list('doubtful', doubtful))
  return `${parts.join('\n')}\n`
}

const heading = ['run', 'prompt', 'model', 'done', 'failed', 'tokens in', 'out', 'cost']

function rowOf(run: RunLine | undefined, account: Account): string[] {
  const began = run === undefined ? 'unknown' : `${run.time.slice(0, 16).replace('T', ' ')} UTC`
  const model = `${run?.model ?? ''}${run?.simulated ? ' (simulated)' : ''}`
  return [began, run?.prompt ?? '', model, ...cellsOf(account)]
}

function cellsOf({ summarized, failed, usage, cost_picodollars, unknown_cost, lost }: Account): string[] {
  const known = dollars(BigInt(cost_picodollars))
  const cost = unknown_cost === 0 ? known : cost_picodollars === '0' ? 'unknown' : `${known} and unknown`
  const tokens = [promptTokens(usage), usage.output].map(whole)
  return [
    String(summarized),
    String(failed),
    ...tokens,
    lost === 0 ? cost : `${cost} (${lost} lost ${lost === 1 ? 'reply' : 'replies'})`,
  ]
}

function list(title: string, items: readonly { readonly path: string; readonly reason: string }[]): string[] {
  if (items.length === 0) return []
  const shown = items.slice(0, mostListed).map(({ path, reason }) => `  ${printable(`${path}: ${reason}`)}`)
  const more = items.length - shown.length
  return ['', `${title}:`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])]
}

function counted(count: number, what: string): string {
  return manyOf(count, what)
}
