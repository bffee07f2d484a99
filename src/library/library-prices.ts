import { resolveModelAlias } from '../core/pricing/models.ts'
import type { CustomPrices } from '../core/pricing/pricing-rules.ts'
import { isOptions } from './check-arguments.ts'

/** Price of a model in USD per million tokens. */
export interface Price {
  /** Input tokens. */
  readonly input: number
  /** Output tokens, including thinking. */
  readonly output: number
  /** Input written to the prompt cache for 5 minutes. Default: 1.25 times `input`. */
  readonly cacheWrite5m?: number | undefined
  /** Input written to the prompt cache for an hour. Default: 2 times `input`. */
  readonly cacheWrite1h?: number | undefined
  /** Input read from the prompt cache. Default: 0.1 times `input`. */
  readonly cacheRead?: number | undefined
}

/** Returns complete prices by full model id. */
export function completePrices(prices: Readonly<Record<string, Price>>): CustomPrices {
  const completePrice = ({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Price) => ({
    input,
    output,
    cacheWrite5m: cacheWrite5m ?? input * 1.25,
    cacheWrite1h: cacheWrite1h ?? input * 2,
    cacheRead: cacheRead ?? input / 10,
  })
  return Object.fromEntries(
    Object.entries(prices).map(([model, price]) => [resolveModelAlias(model), completePrice(price)]),
  )
}

/** Checks the `prices` option. @throws TypeError if it is invalid */
export function checkPrices(prices: unknown): void {
  if (prices === undefined) return
  const isPrice = (price: unknown) => {
    if (!isOptions(price)) return false
    const { input, output, cacheWrite5m, cacheWrite1h, cacheRead, ...unknown } = price
    const cacheRates = [cacheWrite5m, cacheWrite1h, cacheRead].filter((rate) => rate !== undefined)
    if (Object.keys(unknown).length > 0) return false
    return [input, output, ...cacheRates].every(
      (rate) => typeof rate === 'number' && rate >= 0 && rate < 1_000_000,
    )
  }
  if (isOptions(prices) && Object.values(prices).every(isPrice)) return
  throw new TypeError('createClient: prices must be { model: { input, output } }, in USD per million tokens')
}
