import { type EstimateRange, estimateCost, type PlannedRequest } from '../core/estimate/estimate-cost.ts'
import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import { countPromptCharacters } from '../core/request/request.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { toPublicError } from './library-error.ts'
import { readSummarizeOptions, type SummarizeOptions } from './summarize-options.ts'
import { createTextRequests } from './text-requests.ts'
import { readText, type Texts, takeSources } from './text-source.ts'

/** What the requests for texts may need: a guess by their length, without a request. */
export interface Estimate {
  /** Texts that `summarizeAll` would send. Empty and invalid ones are not sent. */
  readonly texts: number
  /** Input tokens, including the prompt of each text. */
  readonly inputTokens: EstimateRange
  /** Output tokens, at most `maxTokens` for each text. */
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
 * @throws ClaudeBatchError of type `configuration` if the model does not accept a setting of the prompt
 */
export async function estimate(texts: Texts, options: SummarizeOptions): Promise<Estimate> {
  const call = readSummarizeOptions('estimate', texts, options)
  const { connection, prompt, overrides, signal = new AbortController().signal } = call
  signal.throwIfAborted()
  const requests = await createTextRequests(prompt, overrides).catch((error: unknown) => {
    throw toPublicError(error)
  })
  const planned: PlannedRequest[] = []
  for await (const source of takeSources(texts, signal)) {
    const document = await readText(source)
    if ('action' in document) continue
    const request = requests.build(document)
    const { model, maxTokens } = request
    const kind = detectTextKind(source.path, document.text)
    planned.push({ prompt: 'prompt', model, maxTokens, kind, characters: countPromptCharacters(request) })
  }
  signal.throwIfAborted()
  const { inputTokens, outputTokens, liveCost } = estimateCost(planned, new Map(), connection.priceOf)
  const costUsd = liveCost === undefined ? null : toUsd(liveCost)
  return { texts: planned.length, inputTokens, outputTokens, costUsd }
}

function toUsd({ low, expected, high }: EstimateRange<bigint>): EstimateRange {
  const convert = (cost: bigint) => Number(formatExactUsd(cost))
  return { low: convert(low), expected: convert(expected), high: convert(high) }
}
