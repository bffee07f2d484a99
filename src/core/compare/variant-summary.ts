import {
  type ConfidenceInterval,
  computeMeanInterval,
  computeShareInterval,
} from '../estimate/confidence-interval.ts'
import { sumInputTokens } from '../pricing/usage.ts'
import type { DocumentEntry } from '../run/ledger-entry.ts'

/** The result of one variant for one document. */
export interface VariantResult {
  readonly entry: Pick<
    DocumentEntry,
    'status' | 'usage' | 'cost_usd' | 'replies_with_unknown_cost' | 'latency_ms'
  >
  readonly text?: string
}

/** The results of a variant, per document. Undefined is unknown. */
export interface VariantSummary {
  readonly summarized: number
  /** Of those that were tried. */
  readonly failed: ConfidenceInterval & { readonly count: number }
  readonly costUsd: ConfidenceInterval | undefined
  readonly inputTokens: ConfidenceInterval | undefined
  readonly outputTokens: ConfidenceInterval | undefined
  /** Milliseconds. */
  readonly latencyMs: ConfidenceInterval | undefined
  readonly words: ConfidenceInterval | undefined
}

export function summarizeVariant(results: readonly VariantResult[]): VariantSummary {
  const summarized = results.filter(({ entry, text }) => entry.status === 'summarized' && text !== undefined)
  const failed = results.filter(({ entry: line }) => line.status === 'failed').length
  const mean = (value: (result: VariantResult) => number | null | undefined) => {
    const values = summarized.map(value)
    const known = values.filter((it) => typeof it === 'number')
    // A mean over those that happen to be known would pass for one over all.
    return known.length === 0 || known.length < values.length ? undefined : computeMeanInterval(known)
  }
  return {
    summarized: summarized.length,
    failed: { count: failed, ...computeShareInterval(failed, results.length) },
    costUsd: mean(getKnownCost),
    inputTokens: mean(({ entry: line }) =>
      isFullyCounted(line) && line.usage ? sumInputTokens(line.usage) : undefined,
    ),
    outputTokens: mean(({ entry: line }) => (isFullyCounted(line) ? line.usage?.output_tokens : undefined)),
    latencyMs: mean(({ entry: line }) => line.latency_ms),
    words: mean(({ text = '' }) => countWords(text)),
  }
}

/** Whether what is known of it is all of it. */
function isFullyCounted({ replies_with_unknown_cost: unknownCosts = 0 }: VariantResult['entry']): boolean {
  return unknownCosts === 0
}

function getKnownCost({ entry: line }: VariantResult): number | null {
  return isFullyCounted(line) ? line.cost_usd : null
}

/** Ratios of a variant to another one, document by document, so that document sizes do not matter. */
export interface VariantRatios {
  readonly cost: ConfidenceInterval | undefined
  readonly latency: ConfidenceInterval | undefined
  readonly words: ConfidenceInterval | undefined
}

/** @param pairs results of the other variant and this one for the same document, where both have one */
export function computeRatios(
  pairs: readonly (readonly [other: VariantResult, own: VariantResult])[],
): VariantRatios {
  const computeRatio = (
    value: (result: VariantResult) => number | null | undefined,
  ): ConfidenceInterval | undefined => {
    const logarithms: number[] = []
    for (const [other, own] of pairs) {
      const [a, b] = [value(other), value(own)]
      if (typeof a !== 'number' || typeof b !== 'number' || a <= 0 || b <= 0) return undefined
      logarithms.push(Math.log(b / a))
    }
    if (logarithms.length === 0) return undefined
    // The arithmetic mean of ratios could say that each of two variants takes more than the other.
    const { value: mean, low, high } = computeMeanInterval(logarithms)
    const bounds = low === undefined || high === undefined ? {} : { low: Math.exp(low), high: Math.exp(high) }
    return { value: Math.exp(mean), ...bounds }
  }
  return {
    cost: computeRatio(getKnownCost),
    latency: computeRatio(({ entry: line }) => line.latency_ms),
    words: computeRatio(({ text = '' }) => countWords(text)),
  }
}

/** Words, also of languages that put no blanks between them. */
function countWords(text: string): number {
  let words = 0
  for (const { isWordLike } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text))
    if (isWordLike) words++
  return words
}
