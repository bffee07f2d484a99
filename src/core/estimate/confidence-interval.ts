/** An estimate with its 95 % confidence interval. The bounds are absent if there are too few values. */
export interface ConfidenceInterval {
  readonly value: number
  readonly low?: number
  readonly high?: number
}

const z = 1.959964

/** Returns the mean of a sample with Student's interval. @param values at least one */
export function computeMeanInterval(values: readonly number[]): ConfidenceInterval {
  const n = values.length
  const value = values.reduce((sum, x) => sum + x, 0) / n
  if (n < 2) return { value }
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (n - 1)
  const margin = studentT(n - 1) * Math.sqrt(variance / n)
  return { value, low: value - margin, high: value + margin }
}

/**
 * Returns a share with Wilson's interval, which is also valid near 0 and 1.
 * @see https://doi.org/10.1080/01621459.1927.10502953
 */
export function computeShareInterval(count: number, n: number): ConfidenceInterval {
  if (n === 0) return { value: 0 }
  const p = count / n
  const middle = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const margin = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))
  return { value: p, low: Math.max(0, middle - margin), high: Math.min(1, middle + margin) }
}

const smallSampleT = [12.7062, 4.30265, 3.18245, 2.77645]

/**
 * Returns Student's t for 95 %, two-sided: from a table for few degrees of freedom, by an expansion in 1/ν
 * for more.
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5
 */
export function studentT(degreesOfFreedom: number): number {
  const exact = smallSampleT[degreesOfFreedom - 1]
  if (exact !== undefined) return exact
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ]
  return terms.reduce((sum, term, power) => sum + term / degreesOfFreedom ** power, 0)
}
