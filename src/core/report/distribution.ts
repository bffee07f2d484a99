import { amount, count, describe, listOf, objectOf, type TypeOf } from '../text/shape.ts'

/** The distribution of values in milliseconds: percentiles, and a histogram with equal bins from 0. */
export const distributionShape = objectOf({
  count,
  p50_ms: amount,
  p95_ms: amount,
  p99_ms: amount,
  max_ms: amount,
  bin_ms: describe(amount, 'the width of a bin'),
  bins: describe(listOf(count), 'the number of values in each bin; the last one also has all larger values'),
})
export interface Distribution extends TypeOf<typeof distributionShape> {}

const maxBins = 40

/** Returns the distribution of values in milliseconds; null if there are none. */
export function computeDistribution(values: readonly number[]): Distribution | null {
  if (values.length === 0) return null
  const sorted = Float64Array.from(values).sort()
  const { p50, p95, p99 } = computePercentiles(sorted)
  const step = roundUpToNiceStep(p99 / maxBins)
  const counts = new Array<number>(Math.max(1, Math.ceil((p99 + 1) / step))).fill(0)
  for (const value of sorted) {
    const bin = Math.min(counts.length - 1, Math.floor(value / step))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const max = sorted.at(-1) ?? 0
  return {
    count: sorted.length,
    p50_ms: p50,
    p95_ms: p95,
    p99_ms: p99,
    max_ms: max,
    bin_ms: step,
    bins: counts,
  }
}

/**
 * Returns percentiles by nearest rank: the smallest value that at least this share of all values does not
 * exceed.
 * @param sorted in ascending order, at least one
 */
export function computePercentiles(sorted: Float64Array): { p50: number; p95: number; p99: number } {
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** Returns the smallest of 1, 2, 5, 10, 20, 50, … that is not below `minStep`. */
export function roundUpToNiceStep(minStep: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, minStep)))
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= minStep) ?? 10 * power
}
