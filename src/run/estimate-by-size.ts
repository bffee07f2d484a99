import { likelyNotes } from '../core/chunking/chunk-plan.ts'
import type { Source } from '../core/document/document.ts'
import { type Experience, type Forecast, forecast } from '../core/estimate/estimate.ts'
import type { PriceOf } from '../core/pricing/price.ts'
import { lengthOf, type Request } from '../core/request/request.ts'
import { textKind } from '../core/text/text-kind.ts'
import { largestInput } from '../inputs/read/read.ts'
import { textShare } from '../inputs/read/readers/kinds.ts'
import type { Asking } from './request-builder.ts'

/**
 * What documents will come to by their sizes alone, none of them read.
 * @param charactersPerByte of their texts
 */
export function forecastBySize(
  sources: readonly Source[],
  experience: Experience,
  { asking, priceOf }: { readonly asking: Asking; readonly priceOf: PriceOf },
  charactersPerByte = 1,
): Forecast & { readonly documents: number } {
  // Of an empty document: what the prompt itself comes to, which is the same but for names. To make one for each of a
  // hundred thousand takes longer than finding them.
  const empty = new Map<string, Request>()
  const longestOf = new Map<string, number | undefined>()
  let documents = 0
  const prospects = sources.flatMap((source) => {
    const { path, stats, problem } = source
    if (stats === undefined || problem !== undefined) return []
    const bytes = stats.size * textShare(path)
    if (bytes > largestInput) return []
    documents++
    const { prompt, recipe } = asking.factsFor(path)
    const request =
      empty.get(recipe) ?? asking.requestFor({ source, text: '', bytes: { size: 0, sha256: '' } })
    empty.set(recipe, request)
    const { model, maxTokens } = request
    const around = lengthOf(request)
    const text = Math.round(bytes * charactersPerByte)
    const kind = textKind(path)
    const prospect = { prompt, model, maxTokens, characters: around + text, kind }
    const alike = `${recipe} ${kind}`
    if (!longestOf.has(alike)) longestOf.set(alike, asking.longestFor(path))
    const longest = longestOf.get(alike)
    if (longest === undefined || text <= longest) return [prospect]
    // Parts end at joints, so that few are as long as they may be.
    const parts = Math.ceil(text / (0.75 * longest))
    const part = { ...prospect, prompt: `${prompt}, in parts`, characters: around + Math.ceil(text / parts) }
    return [...Array<typeof part>(parts).fill(part), { ...part, characters: around + parts * likelyNotes }]
  })
  return { ...forecast(prospects, experience, priceOf), documents }
}
