import { fromCitationFields } from '../citations/citation-fields.ts'
import { computeCoverage } from '../citations/statements.ts'
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
    'status' | 'usage' | 'cost_usd' | 'replies_with_unknown_cost' | 'latency_ms' | 'citations'
  >
  readonly text?: string
}

/** Statistics of a variant. Means are per summarized document; undefined is unknown. */
export interface VariantSummary {
  readonly summarized: number
  /** The share and number of failed documents, of all results. */
  readonly failed: ConfidenceInterval & { readonly count: number }
  readonly costUsd: ConfidenceInterval | undefined
  readonly inputTokens: ConfidenceInterval | undefined
  readonly outputTokens: ConfidenceInterval | undefined
  /** Milliseconds. */
  readonly latencyMs: ConfidenceInterval | undefined
  readonly words: ConfidenceInterval | undefined
  /** The share of statements with a passage of the document; undefined if the variant asks for none. */
  readonly coverage: ConfidenceInterval | undefined
}

export function summarizeVariant(results: readonly VariantResult[]): VariantSummary {
  const summarized = results.filter(({ entry, text }) => entry.status === 'summarized' && text !== undefined)
  const failed = results.filter(({ entry }) => entry.status === 'failed').length
  const mean = (value: (result: VariantResult) => number | null | undefined) => {
    const values = summarized.map(value)
    const known = values.filter((value) => typeof value === 'number')
    // A mean of only the known values would look like the mean of all.
    return known.length === 0 || known.length < values.length ? undefined : computeMeanInterval(known)
  }
  return {
    summarized: summarized.length,
    failed: { count: failed, ...computeShareInterval(failed, results.length) },
    costUsd: mean(getKnownCost),
    inputTokens: mean(({ entry }) =>
      isFullyCounted(entry) && entry.usage ? sumInputTokens(entry.usage) : undefined,
    ),
    outputTokens: mean(({ entry }) => (isFullyCounted(entry) ? entry.usage?.output_tokens : undefined)),
    latencyMs: mean(({ entry }) => entry.latency_ms),
    words: mean(({ text = '' }) => countWords(text)),
    coverage: summarized.every(({ entry }) => entry.citations !== undefined) ? mean(getCoverage) : undefined,
  }
}

/** A text without statements has none that lack a passage. */
function getCoverage({ entry: { citations = [] }, text = '' }: VariantResult): number {
  return computeCoverage(text, citations.map(fromCitationFields)) ?? 1
}

/** Whether the usage and the cost of an entry are complete. */
function isFullyCounted({ replies_with_unknown_cost: unknownCosts = 0 }: VariantResult['entry']): boolean {
  return unknownCosts === 0
}

function getKnownCost({ entry }: VariantResult): number | null {
  return isFullyCounted(entry) ? entry.cost_usd : null
}

/** Mean ratios of a variant to another one, computed per document, so that document sizes do not matter. */
export interface VariantRatios {
  readonly cost: ConfidenceInterval | undefined
  readonly latency: ConfidenceInterval | undefined
  readonly words: ConfidenceInterval | undefined
}

/**
 * Compares a variant with another one.
 * @param pairs results of the other variant and of this one, for documents that have both
 */
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
    // The geometric mean: by the arithmetic mean of ratios, each of two variants can cost more than the
    // other.
    const { value: mean, low, high } = computeMeanInterval(logarithms)
    const bounds = low === undefined || high === undefined ? {} : { low: Math.exp(low), high: Math.exp(high) }
    return { value: Math.exp(mean), ...bounds }
  }
  return {
    cost: computeRatio(getKnownCost),
    latency: computeRatio(({ entry }) => entry.latency_ms),
    words: computeRatio(({ text = '' }) => countWords(text)),
  }
}

/** Counts the words, also in languages without spaces between them. */
function countWords(text: string): number {
  let words = 0
  for (const { isWordLike } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text))
    if (isWordLike) words++
  return words
}
