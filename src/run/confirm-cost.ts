import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { EstimateRange } from '../core/estimate/estimate-cost.ts'
import { formatUsd, type Picodollars, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { pluralize } from '../core/text/format-number.ts'
import { ExitError, UsageError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { askUser } from './ask-user.ts'

type ConfirmOptions = Pick<SummarizeOptions, 'confirmAbove' | 'yes' | 'maxCost' | 'simulate'> &
  Partial<Pick<SummarizeOptions, 'maxCostPer'>>

/** The expected cost of some documents. */
interface ExpectedCost {
  readonly documents: number
  /** Undefined if the price is unknown. */
  readonly cost: EstimateRange<Picodollars> | undefined
}

/**
 * Asks the user to confirm a run whose expected cost exceeds `--confirm-above`. Does not ask with `--yes`,
 * `--simulate` or `--max-cost`.
 * @param estimateCosts called only if the costs are needed
 * @param unit what the costs are counted by, such as `document`
 * @throws UsageError if there is no terminal to ask on; ExitError `limitReached` if the user declines
 */
export async function confirmCost(
  estimateCosts: () => readonly ExpectedCost[],
  unit: string,
  {
    options: { confirmAbove, yes, maxCost, maxCostPer, simulate },
    runtime,
    drainSignal,
  }: {
    readonly options: ConfirmOptions
    readonly runtime: Runtime
    /** Ends the question when the run is stopped. */
    readonly drainSignal: AbortSignal
  },
): Promise<void> {
  if (yes || simulate || maxCost !== undefined || maxCostPer !== undefined) return
  const costs = estimateCosts()
  const documents = costs.reduce((sum, item) => sum + item.documents, 0)
  const cost = sumCosts(costs)
  if (cost.expected <= usdToPicodollars(confirmAbove)) return
  const unpricedNote = costs.some((item) => item.cost === undefined)
    ? ', plus requests without a known price'
    : ''
  const message = `${pluralize(documents, unit)} will cost ${formatCostRange(cost)}${unpricedNote}`
  const answer = await askUser(runtime, `${message}. Continue?`, drainSignal)
  if (answer === undefined)
    throw new UsageError(
      `${message}, more than --confirm-above ${formatUsd(usdToPicodollars(confirmAbove))}; give --yes, or --max-cost USD to set a cap`,
    )
  if (!answer) throw new ExitError('limitReached', 'nothing was sent')
}

/** Adds the known costs. */
function sumCosts(costs: readonly ExpectedCost[]): EstimateRange<Picodollars> {
  const total = { low: 0n, expected: 0n, high: 0n }
  for (const { cost } of costs) {
    if (cost === undefined) continue
    total.low += cost.low
    total.expected += cost.expected
    total.high += cost.high
  }
  return total
}

/** Returns a cost and its range, such as `about $1.20 ($1.00 to $1.50)`. */
export function formatCostRange({ low, expected, high }: EstimateRange<Picodollars>): string {
  return `about ${formatUsd(expected)} (${formatUsd(low)} to ${formatUsd(high)})`
}
