import { findModel } from '../pricing/models.ts'
import type { Picodollars, PriceOf } from '../pricing/pricing-rules.ts'
import { sumInputTokens, type Usage, zeroUsage } from '../pricing/usage.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'
import type { TextKind } from '../text/text-kind.ts'
import { studentT } from './confidence-interval.ts'

/** The properties of a request that an estimate needs. */
export interface PlannedRequest {
  /** The prompt and its version: `summarize@v2`. */
  readonly prompt: string
  readonly model: string
  readonly kind: TextKind
  /** Length of the whole prompt, in characters. */
  readonly characters: number
  readonly maxTokens: number
  /** Input tokens, if the API counted them. */
  readonly countedTokens?: number
  /** It is about a chunk of a long document, or combines the notes on chunks. A batch never contains it. */
  readonly isForChunks?: boolean
  /** Its reply cites the document, for which the API adds input. */
  readonly isCited?: boolean
}

/** Lower bound, expected value and upper bound. */
export interface EstimateRange<T = number> {
  /** Less is unlikely. */
  readonly low: T
  /** The most likely value. */
  readonly expected: T
  /** More is unlikely, but possible. */
  readonly high: T
}

/** The estimated tokens and costs of requests. Costs are undefined if a model has no price. */
export interface CostEstimate {
  readonly requests: number
  /** The number of requests that are estimated from similar earlier ones. The rest is a guess. */
  readonly withHistory: number
  readonly inputTokens: EstimateRange
  readonly outputTokens: EstimateRange
  readonly liveCost: EstimateRange<Picodollars> | undefined
  /** The cost as batches: long documents are sent live all the same, at the full price. */
  readonly batchCost: EstimateRange<Picodollars> | undefined
}

/** Tokens of earlier requests, by prompt, model and kind of text, with and without citations. */
export type TokenHistory = Map<string, TokenSums>

/** Sums for means and variances: c is characters, i is input tokens, o is output tokens. */
interface TokenSums {
  count: number
  c: number
  i: number
  o: number
  cc: number
  ci: number
  ii: number
  oo: number
}

/**
 * Adds the tokens of a document in the ledger. Ignores documents with several attempts or chunks, because
 * their tokens do not depend on their length alone.
 */
export function addObservation(
  history: TokenHistory,
  {
    status,
    attempts,
    chunks,
    usage,
    characters: c,
    text_kind: kind,
    prompt,
    model,
    citations,
  }: DocumentEntry,
): void {
  if (status !== 'summarized' || attempts !== 1 || chunks !== undefined) return
  if (usage === null || c === undefined || kind === undefined) return
  const key = toHistoryKey({ prompt, model, kind, isCited: citations !== undefined })
  const sums = history.get(key) ?? { count: 0, c: 0, i: 0, o: 0, cc: 0, ci: 0, ii: 0, oo: 0 }
  const [i, o] = [sumInputTokens(usage), usage.output_tokens]
  sums.count++
  sums.c += c
  sums.i += i
  sums.o += o
  sums.cc += c * c
  sums.ci += c * i
  sums.ii += i * i
  sums.oo += o * o
  history.set(key, sums)
}

/** Requests with the same key are estimated together. The history of whole documents does not apply to chunks. */
function toHistoryKey({
  prompt,
  model,
  kind,
  isForChunks = false,
  isCited = false,
}: HistoryKeyParts): string {
  return `${prompt} ${model} ${kind}${isForChunks ? ' chunks' : ''}${isCited ? ' citations' : ''}`
}

type HistoryKeyParts = Pick<PlannedRequest, 'prompt' | 'model' | 'kind' | 'isForChunks' | 'isCited'>

/** Estimates tokens and costs of requests from similar earlier ones, or guesses if there are too few. */
export function estimateCost(
  requests: readonly PlannedRequest[],
  history: ReadonlyMap<string, TokenSums>,
  priceOf: PriceOf,
): CostEstimate {
  const groups = new Map<string, PlannedRequest[]>()
  for (const request of requests) {
    const key = toHistoryKey(request)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [request])
    else group.push(request)
  }
  const totals = {
    requests: requests.length,
    withHistory: 0,
    inputTokens: createZeroTokens(),
    outputTokens: createZeroTokens(),
  }
  const [liveCost, batchCost] = [createZeroCost(), createZeroCost()]
  for (const [key, group] of groups) {
    const sums = history.get(key)
    const rates =
      sums !== undefined && sums.count >= minObservations ? computeRates(sums, group) : guessRates(group)
    if (rates.fromHistory) totals.withHistory += group.length
    for (const { model, characters, maxTokens, countedTokens: tokens, isForChunks = false } of group) {
      for (const bound of rangeKeys) {
        const input = tokens ?? Math.round(characters * rates.input[bound])
        const output = Math.min(maxTokens, Math.round(rates.output[bound]))
        totals.inputTokens[bound] += input
        totals.outputTokens[bound] += output
        const usage: Usage = { ...zeroUsage, input_tokens: input, output_tokens: output }
        liveCost[bound] = addCost(liveCost[bound], priceOf({ model, usage }))
        batchCost[bound] = addCost(
          batchCost[bound],
          priceOf({ model, usage, ...(!isForChunks && { terms: { batch: true } }) }),
        )
      }
    }
  }
  return { ...totals, liveCost: toKnownRange(liveCost), batchCost: toKnownRange(batchCost) }
}

const rangeKeys = ['low', 'expected', 'high'] as const
type RangeKey = (typeof rangeKeys)[number]

/** Minimum number of earlier requests for an estimate. */
const minObservations = 5

/** Input tokens per character and output tokens per request. `max_tokens` limits the latter. */
interface TokenRates {
  readonly fromHistory: boolean
  readonly input: EstimateRange
  readonly output: EstimateRange
}

/** Computes the rates from a sample, with Student's prediction interval for the given requests. */
function computeRates(
  { count: n, c, i, o, cc, ci, ii, oo }: TokenSums,
  requests: readonly PlannedRequest[],
): TokenRates {
  const t = studentT(n - 1)
  const requestCount = requests.length
  const characters = requests.reduce((sum, { characters }) => sum + characters, 0)
  const ratio = i / c
  // Cochran, Sampling Techniques, 6.3: the ratio of sums, and the variance of its residuals.
  const ratioVariance = Math.max(0, ii - 2 * ratio * ci + ratio ** 2 * cc) / (n - 1)
  const ratioError = Math.sqrt(ratioVariance * (1 / (n * (c / n) ** 2) + requestCount / characters ** 2))
  const mean = o / n
  const variance = Math.max(0, oo - n * mean ** 2) / (n - 1)
  const error = Math.sqrt(variance * (1 / n + 1 / requestCount))
  return { fromHistory: true, input: toRange(ratio, t * ratioError), output: toRange(mean, t * error) }
}

/** Widens every range by this share of the value, because new documents are never quite like earlier ones. */
const minRelativeMargin = 0.02

function toRange(value: number, margin: number): EstimateRange {
  const widened = margin + minRelativeMargin * value
  return { low: Math.max(0, value - widened), expected: value, high: value + widened }
}

/**
 * Tokens per character, relative to the value for prose in the table of models. Code and Chinese are known to
 * have more; how many more is a guess.
 */
const tokenFactors = {
  prose: { low: 0.65, expected: 1, high: 1.25 },
  code: { low: 0.75, expected: 1.15, high: 1.6 },
  cjk: { low: 1, expected: 2.2, high: 4 },
} as const satisfies Record<TextKind, EstimateRange>

/** Returns a guess of the tokens per character, for a model and a kind of text. */
export function guessTokensPerCharacter(model: string, kind: TextKind): EstimateRange {
  const perCharacter = 1 / (findModel(model)?.charsPerToken ?? 2.5)
  const { low, expected, high } = tokenFactors[kind]
  return { low: low * perCharacter, expected: expected * perCharacter, high: high * perCharacter }
}

function guessRates(requests: readonly PlannedRequest[]): TokenRates {
  const { kind, model } = requests[0] ?? { kind: 'prose', model: '' }
  return {
    fromHistory: false,
    input: guessTokensPerCharacter(model, kind),
    output: { low: 30, expected: 200, high: Number.POSITIVE_INFINITY },
  }
}

function createZeroTokens(): Record<RangeKey, number> {
  return { low: 0, expected: 0, high: 0 }
}

function createZeroCost(): Record<RangeKey, Picodollars | undefined> {
  return { low: 0n, expected: 0n, high: 0n }
}

function addCost(sum: Picodollars | undefined, cost: Picodollars | undefined): Picodollars | undefined {
  return sum === undefined || cost === undefined ? undefined : sum + cost
}

function toKnownRange({
  low,
  expected,
  high,
}: ReturnType<typeof createZeroCost>): EstimateRange<Picodollars> | undefined {
  return low === undefined || expected === undefined || high === undefined
    ? undefined
    : { low, expected, high }
}
