import { type Estimate, meanOf, shareOf } from '../estimate/confidence-interval.ts'
import { promptTokens } from '../pricing/usage.ts'
import type { DocumentLine } from '../run/ledger-entry.ts'

/** What an arm made of one document. */
export interface ArmResult {
  readonly line: Pick<DocumentLine, 'status' | 'usage' | 'cost_usd' | 'uncounted' | 'latency_ms'>
  readonly text?: string
}

/** What an arm of a comparison came to, per document. Undefined is unknown. */
export interface ArmSummary {
  readonly summarized: number
  /** Of those that were tried. */
  readonly failed: Estimate & { readonly count: number }
  readonly costUsd: Estimate | undefined
  readonly tokensIn: Estimate | undefined
  readonly tokensOut: Estimate | undefined
  /** Milliseconds. */
  readonly latencyMs: Estimate | undefined
  readonly words: Estimate | undefined
}

export function armSummary(results: readonly ArmResult[]): ArmSummary {
  const good = results.filter(({ line, text }) => line.status === 'summarized' && text !== undefined)
  const failed = results.filter(({ line }) => line.status === 'failed').length
  const mean = (value: (result: ArmResult) => number | null | undefined) => {
    const values = good.map(value)
    const known = values.filter((it) => typeof it === 'number')
    // A mean over those that happen to be known would pass for one over all.
    return known.length === 0 || known.length < values.length ? undefined : meanOf(known)
  }
  return {
    summarized: good.length,
    failed: { count: failed, ...shareOf(failed, results.length) },
    costUsd: mean(costOf),
    tokensIn: mean(({ line }) => (isCounted(line) && line.usage ? promptTokens(line.usage) : undefined)),
    tokensOut: mean(({ line }) => (isCounted(line) ? line.usage?.output : undefined)),
    latencyMs: mean(({ line }) => line.latency_ms),
    words: mean(({ text = '' }) => wordsIn(text)),
  }
}

/** Whether what is known of it is all of it. */
function isCounted({ uncounted = 0 }: ArmResult['line']): boolean {
  return uncounted === 0
}

function costOf({ line }: ArmResult): number | null {
  return isCounted(line) ? line.cost_usd : null
}

/** How many times as much an arm takes as another one, document by document, so that their sizes play no part. */
export interface Ratios {
  readonly cost: Estimate | undefined
  readonly latency: Estimate | undefined
  readonly words: Estimate | undefined
}

/** @param pairs what the other arm and this one made of the same document, where both made something */
export function ratiosOf(pairs: readonly (readonly [other: ArmResult, own: ArmResult])[]): Ratios {
  const ratio = (value: (result: ArmResult) => number | null | undefined): Estimate | undefined => {
    const logarithms: number[] = []
    for (const [other, own] of pairs) {
      const [a, b] = [value(other), value(own)]
      if (typeof a !== 'number' || typeof b !== 'number' || a <= 0 || b <= 0) return undefined
      logarithms.push(Math.log(b / a))
    }
    if (logarithms.length === 0) return undefined
    // The mean of ratios would say that each of two arms takes more than the other.
    const { value: mean, low, high } = meanOf(logarithms)
    const bounds = low === undefined || high === undefined ? {} : { low: Math.exp(low), high: Math.exp(high) }
    return { value: Math.exp(mean), ...bounds }
  }
  return {
    cost: ratio(costOf),
    latency: ratio(({ line }) => line.latency_ms),
    words: ratio(({ text = '' }) => wordsIn(text)),
  }
}

/** Words, also of languages that put no blanks between them. */
function wordsIn(text: string): number {
  let words = 0
  for (const { isWordLike } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text))
    if (isWordLike) words++
  return words
}
