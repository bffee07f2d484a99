import { expectedNotesChars } from '../core/chunking/chunk-plan.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { type CostEstimate, estimateCost, type TokenHistory } from '../core/estimate/estimate-cost.ts'
import type { PriceOf } from '../core/pricing/pricing-rules.ts'
import { countPromptCharacters, type Request } from '../core/request/request.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { maxInputBytes } from '../inputs/read/read-document.ts'
import { estimateCharacters } from '../inputs/read/readers/document-formats.ts'
import type { PromptChoice, RequestBuilder } from './request-builder.ts'

export interface EstimateContext {
  readonly promptChoice: Pick<PromptChoice, 'getProvenance'>
  readonly requestBuilder: RequestBuilder
  readonly priceOf: PriceOf
}

/**
 * Estimates tokens and costs of documents by their sizes, without reading them.
 * @param charactersPerByte characters of text per byte of the files
 */
export function estimateBySize(
  sources: readonly DocumentRef[],
  history: TokenHistory,
  { promptChoice, requestBuilder, priceOf }: EstimateContext,
  charactersPerByte = 1,
): CostEstimate & { readonly documents: number } {
  // Requests of an empty document, to measure the prompt. One per settings hash is enough: they differ only
  // in file names, and building one per document would take longer than finding the documents.
  const emptyRequests = new Map<string, Request>()
  const maxCharsByKind = new Map<string, number | undefined>()
  let documents = 0
  const plannedRequests = sources.flatMap((source) => {
    const { path, stats, problem } = source
    if (stats === undefined || problem !== undefined) return []
    const bytes = estimateCharacters(path, stats.size)
    if (bytes > maxInputBytes) return []
    documents++
    const { prompt, settingsHash } = promptChoice.getProvenance(path)
    const request =
      emptyRequests.get(settingsHash) ??
      requestBuilder.buildRequest({ ref: source, text: '', fingerprint: { size: 0, sha256: '' } })
    emptyRequests.set(settingsHash, request)
    const { model, maxTokens } = request
    const overheadChars = countPromptCharacters(request)
    const textChars = Math.round(bytes * charactersPerByte)
    const kind = detectTextKind(path)
    const isCited = request.citable !== undefined
    const planned = { prompt, model, maxTokens, characters: overheadChars + textChars, kind, isCited }
    const kindKey = `${settingsHash} ${kind}`
    if (!maxCharsByKind.has(kindKey)) maxCharsByKind.set(kindKey, requestBuilder.chunker?.getMaxChars(path))
    const maxChars = maxCharsByKind.get(kindKey)
    if (maxChars === undefined || textChars <= maxChars) return [planned]
    // Chunks end at boundaries, so few have the maximum length.
    const chunkCount = Math.ceil(textChars / (0.75 * maxChars))
    const chunk = {
      ...planned,
      isForChunks: true,
      characters: overheadChars + Math.ceil(textChars / chunkCount),
    }
    return [
      ...Array<typeof chunk>(chunkCount).fill(chunk),
      { ...chunk, characters: overheadChars + chunkCount * expectedNotesChars },
    ]
  })
  return { ...estimateCost(plannedRequests, history, priceOf), documents }
}
