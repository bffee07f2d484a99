import { dedupeRequests } from '../core/chunking/chunk-plan.ts'
import { type EstimateRange, estimateCost, type PlannedRequest } from '../core/estimate/estimate-cost.ts'
import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import { countPromptCharacters, type Request } from '../core/request/request.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { type PreparedRequest, type PrepareOptions, prepare } from '../engine/prepare.ts'
import { createChunkPlans } from './chunk-texts.ts'
import type { Connection } from './create-connection.ts'
import { toPublicError } from './library-error.ts'
import { type CheckedStore, stopReadsOnAbort } from './store.ts'
import { createStoredResults } from './stored-results.ts'
import type { SummarizeAllOptions } from './summarize-all.ts'
import { readSummarizeOptions, type SummarizeCall } from './summarize-options.ts'
import { createTextRequests } from './text-requests.ts'
import { readText, type TextSource, type Texts, takeSources } from './text-source.ts'

/** What the requests for texts may need: a guess by their length, without a request. */
export interface Estimate {
  /** Texts that `summarizeAll` would send: without invalid ones, and those that the store has, as a result or in a batch. */
  readonly texts: number
  /** Input tokens, including the prompt of each text. */
  readonly inputTokens: EstimateRange
  /** Output tokens, at most `maxTokens` for each text, and for each chunk of a long text. */
  readonly outputTokens: EstimateRange
  /** US dollars, without retries; null if the model has no known price. */
  readonly costUsd: EstimateRange | null
}

/**
 * Estimates the tokens and the cost of `summarizeAll` with the same arguments, as a dry run of the command line does.
 * Sends nothing, needs no credentials, and reads all texts. Rejects with the signal's reason after it has aborted.
 * @param texts the texts; `summarizeAll` needs them again
 * @param options the client, the prompt and settings
 * @throws TypeError that names an invalid argument
 * @throws ClaudeBatchError of type `configuration` if the model does not accept a setting of the prompt, or `store` if a stored batch
 * cannot be read
 */
export async function estimate(texts: Texts, options: SummarizeAllOptions): Promise<Estimate> {
  // The same options as those of the call that it is about.
  const call = readSummarizeOptions('estimate', texts, options, ['onProgress', 'wait'])
  const { signal = new AbortController().signal } = call
  signal.throwIfAborted()
  const sources = takeSources(texts, signal)
  try {
    return await estimateTexts(sources, signal, call)
  } catch (error) {
    throw toPublicError(error)
  } finally {
    await sources.return()
  }
}

async function estimateTexts(
  sources: AsyncIterable<TextSource>,
  signal: AbortSignal,
  { connection, prompt, overrides, mode, chunkTokens, ...call }: SummarizeCall,
): Promise<Estimate> {
  const store = call.store && stopReadsOnAbort(call.store, signal)
  const requests = await createTextRequests(prompt, overrides)
  const stored = store && createStoredResults(store, { findMismatch: () => undefined })
  const prepareOptions: PrepareOptions<TextSource> = {
    read: readText,
    buildRequest: requests.build,
    planChunks: createChunkPlans(requests, overrides, chunkTokens),
    ...(stored && { findEarlierResult: (_source, asked) => stored.find(asked) }),
  }
  const plannedHashes = await listBatchedHashes(store, connection)
  const planned: PlannedRequest[] = []
  let count = 0
  for await (const source of sources) {
    const prepared = await prepare(source, prepareOptions)
    if ('problem' in prepared) continue
    const { requestHash } = prepared.asked
    // With a store, equal texts share one request.
    if (store !== undefined && plannedHashes.has(requestHash)) continue
    count++
    plannedHashes.add(requestHash)
    const isForChunks = 'chunkPlan' in prepared
    for (const request of listRequests(prepared)) {
      const { model, maxTokens } = request
      const kind = detectTextKind(source.path, prepared.document.text)
      const characters = countPromptCharacters(request)
      planned.push({ prompt: 'prompt', model, maxTokens, kind, characters, isForChunks })
    }
  }
  signal.throwIfAborted()
  const { inputTokens, outputTokens, liveCost, batchCost } = estimateCost(
    planned,
    new Map(),
    connection.priceOf,
  )
  const cost = mode === 'batch' ? batchCost : liveCost
  return { texts: count, inputTokens, outputTokens, costUsd: cost === undefined ? null : toUsd(cost) }
}

/** Lists the requests that are in batches and are not sent again. */
async function listBatchedHashes(
  store: CheckedStore | undefined,
  { clock }: Pick<Connection, 'clock'>,
): Promise<Set<string>> {
  if (store === undefined) return new Set()
  const { openBatchesInStore } = await import('./batches-in-store.ts')
  const { openBatches } = await openBatchesInStore(store, { baseUrl: '', clock })
  const items = openBatches.flatMap(({ items, isSettled }) =>
    [...items.values()].filter(({ path }) => !isSettled(path)),
  )
  return new Set(items.map(({ asked }) => asked.requestHash))
}

function listRequests(prepared: PreparedRequest): readonly Request[] {
  if ('request' in prepared) return [prepared.request]
  const { requests, expectedFinalRequest } = prepared.chunkPlan
  return [...dedupeRequests(requests), expectedFinalRequest]
}

function toUsd({ low, expected, high }: EstimateRange<bigint>): EstimateRange {
  const convert = (cost: bigint) => Number(formatExactUsd(cost))
  return { low: convert(low), expected: convert(expected), high: convert(high) }
}
