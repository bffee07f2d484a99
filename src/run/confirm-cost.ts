import type { SummarizeOptions } from '../config/flags.ts'
import type { Bounds } from '../core/estimate/estimate.ts'
import { dollars, type Picodollars, picodollars } from '../core/pricing/price.ts'
import { manyOf } from '../core/text/format-number.ts'
import { RunError, UsageError } from '../errors.ts'
import type { World } from '../runtime.ts'

type ConfirmOptions = Pick<SummarizeOptions, 'confirmAbove' | 'yes' | 'maxCost' | 'simulate'>

/** What some documents will come to; undefined where that is not known. */
interface Expected {
  readonly documents: number
  readonly cost: Bounds<Picodollars> | undefined
}

/**
 * Asks before a run that may cost more than its user is used to.
 * @param forecasts made only where they decide something
 * @param what they are of: `document`
 * @throws UsageError where nobody is there to ask; RunError `limit` where the answer is no
 */
export async function confirmed(
  forecasts: () => readonly Expected[],
  what: string,
  {
    options: { confirmAbove, yes, maxCost, simulate },
    world,
    drain,
  }: {
    readonly options: ConfirmOptions
    readonly world: World
    /** Aborted: somebody wants it to end. */
    readonly drain: AbortSignal
  },
): Promise<void> {
  if (yes || simulate || maxCost !== undefined) return
  const all = forecasts()
  const documents = all.reduce((sum, forecast) => sum + forecast.documents, 0)
  const cost = totalOf(all)
  if (cost.expected <= picodollars(confirmAbove)) return
  const unknown = all.some((part) => part.cost === undefined) ? ', and what has no known price' : ''
  const told = `${manyOf(documents, what)} will cost ${aboutDollars(cost)}${unknown}`
  const answer = await world.confirm(`claude-batch: ${told}. Go on? [y/N] `, drain)
  if (answer === undefined)
    throw new UsageError(
      `${told}, more than --confirm-above ${dollars(picodollars(confirmAbove))}; give --yes, or --max-cost USD to set a bound`,
    )
  if (!answer) throw new RunError('limit', 'nothing was sent')
}

/** Of what has a known price. */
function totalOf(forecasts: readonly Expected[]): Bounds<Picodollars> {
  const total = { low: 0n, expected: 0n, high: 0n }
  for (const { cost } of forecasts) {
    if (cost === undefined) continue
    total.low += cost.low
    total.expected += cost.expected
    total.high += cost.high
  }
  return total
}

/** `about $1.20 ($1.00 to $1.50)`. */
export function aboutDollars({ low, expected, high }: Bounds<Picodollars>): string {
  return `about ${dollars(expected)} (${dollars(low)} to ${dollars(high)})`
}
