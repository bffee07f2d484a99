import type { SummarizeOptions } from '../config/flags.ts'
import type { Source } from '../core/document.ts'
import type { Bounds, Experience } from '../core/estimate.ts'
import { dollars, type Picodollars, type PriceOf, picodollars } from '../core/price.ts'
import { RunError, UsageError } from '../errors.ts'
import type { World } from '../world.ts'
import type { Asking } from './asking.ts'
import { forecastBySize } from './forecast-by-size.ts'

type ConfirmOptions = Pick<SummarizeOptions, 'confirmAbove' | 'yes' | 'maxCost' | 'simulate'>

/**
 * Asks before a run that may cost more than its user is used to.
 * @throws UsageError where nobody is there to ask; RunError `limit` where the answer is no
 */
export async function confirmed(
  sources: readonly Source[],
  experience: Experience,
  {
    options,
    world,
    drain,
    asking,
    priceOf,
  }: {
    readonly options: ConfirmOptions
    readonly asking: Asking
    readonly priceOf: PriceOf
    readonly world: World
    /** Aborted: somebody wants it to end. */
    readonly drain: AbortSignal
  },
): Promise<void> {
  const { confirmAbove, yes, maxCost, simulate } = options
  if (yes || simulate || maxCost !== undefined) return
  const { live, requests } = forecastBySize(sources, experience, { asking, priceOf })
  if (live === undefined || live.expected <= picodollars(confirmAbove)) return
  const what = `${requests.toLocaleString('en-US')} documents will cost ${aboutDollars(live)}`
  const answer = await world.confirm(`claude-batch: ${what}. Go on? [y/N] `, drain)
  if (answer === undefined)
    throw new UsageError(
      `${what}, more than --confirm-above ${dollars(picodollars(confirmAbove))}; give --yes, or --max-cost USD to set a bound`,
    )
  if (!answer) throw new RunError('limit', 'nothing was sent')
}

/** `about $1.20 ($1.00 to $1.50)`. */
export function aboutDollars({ low, expected, high }: Bounds<Picodollars>): string {
  return `about ${dollars(expected)} (${dollars(low)} to ${dollars(high)})`
}
