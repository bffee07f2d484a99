import type { Source } from '../core/document.ts'
import { type Experience, type Forecast, forecast } from '../core/estimate.ts'
import type { PriceOf } from '../core/price.ts'
import { textKind } from '../core/text-kind.ts'
import { largestInput } from '../inputs/read.ts'
import type { Asking } from './asking.ts'

/**
 * What documents will come to by their sizes alone, none of them read.
 * @param charactersPerByte of their texts
 */
export function forecastBySize(
  sources: readonly Source[],
  experience: Experience,
  { asking, priceOf }: { readonly asking: Asking; readonly priceOf: PriceOf },
  charactersPerByte = 1,
): Forecast {
  const prospects = sources.flatMap((source) => {
    const { path, stats, problem } = source
    if (stats === undefined || problem !== undefined || stats.size > largestInput) return []
    // Of an empty document: what the prompt itself comes to.
    const empty = asking.requestFor({ source, text: '', bytes: { size: 0, sha256: '' } })
    const { model, maxTokens, system = '', user } = empty
    const characters = system.length + user.length + Math.round(stats.size * charactersPerByte)
    const { prompt } = asking.factsFor(path)
    return [{ prompt, model, maxTokens, characters, kind: textKind(path) }]
  })
  return forecast(prospects, experience, priceOf)
}
