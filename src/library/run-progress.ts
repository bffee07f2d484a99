import type { Outcome } from '../core/run/outcome.ts'
import type { Connection } from './create-connection.ts'
import { protectListener } from './events.ts'
import { createSpendingSum, type Totals } from './spending.ts'

/** Running totals of one `summarizeAll`: its outcomes by status, and their attempts, tokens and cost. */
export interface Progress extends Totals {
  /** Texts that have a summary. */
  readonly summarized: number
  /** Texts that have none. */
  readonly failed: number
  /** Texts that were not finished when the run stopped. */
  readonly pending: number
}

export type OnProgress = (progress: Progress) => unknown

/** Returns a function that counts outcomes, and reports the totals after each. */
export function createProgress(
  { getTotals, warn }: Pick<Connection, 'getTotals' | 'warn'>,
  onProgress: OnProgress | undefined,
): (outcome: Outcome) => void {
  const notify = protectListener('onProgress', onProgress, warn)
  const spending = createSpendingSum()
  const counts = { summarized: 0, failed: 0, pending: 0 }
  return ({ status, attempts }) => {
    // The library never skips a text.
    if (status !== 'skipped') counts[status]++
    spending.add(attempts)
    notify({ ...counts, ...spending.get(), remainingUsd: getTotals().remainingUsd })
  }
}
