/** How values are spread: percentiles, and a histogram of equal steps from 0. Milliseconds. */
export interface Distribution {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly most: number
  /** The width of a bin. */
  readonly step_ms: number
  /** How many values lie in each; the last one has all that are larger, too. */
  readonly bins: readonly number[]
}

/** So many bins at most. */
const maxBins = 40

/** Null where there are no values. */
export function computeDistribution(values: readonly number[]): Distribution | null {
  if (values.length === 0) return null
  const sorted = Float64Array.from(values).sort()
  const percentiles = computePercentiles(sorted)
  const step = roundUpToNiceStep(percentiles.p99 / maxBins)
  const counts = new Array<number>(Math.max(1, Math.ceil((percentiles.p99 + 1) / step))).fill(0)
  for (const value of sorted) {
    const bin = Math.min(counts.length - 1, Math.floor(value / step))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const most = sorted.at(-1) ?? 0
  return { count: sorted.length, ...percentiles, most, step_ms: step, bins: counts }
}

/** Nearest rank: the smallest value that at least that share of all values does not exceed. @param sorted at least one */
export function computePercentiles(sorted: Float64Array): { p50: number; p95: number; p99: number } {
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** The next one of 1, 2, 5, 10, 20, 50, …: at least 1. */
export function roundUpToNiceStep(minStep: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, minStep)))
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= minStep) ?? 10 * power
}
