import { hash } from 'node:crypto'

/** One of several ways, and which share of the documents goes it. */
export interface WeightedVariant<Way> {
  readonly value: Way
  /** In relation to those of the others. */
  readonly weight: number
}

/**
 * The way a document goes: decided by its path alone, so that it goes the same one tomorrow, whatever is in it then and
 * whatever else there is.
 * @param variants at least one
 */
export function pickVariant<Way>(variants: readonly WeightedVariant<Way>[], path: string): Way {
  const [first] = variants
  if (first === undefined) throw new Error('a split has at least one variant')
  if (variants.length === 1) return first.value
  const total = variants.reduce((sum, { weight }) => sum + weight, 0)
  let point = (hash('sha256', path, 'buffer').readUIntBE(0, 6) / 2 ** 48) * total
  for (const { value, weight: share } of variants) {
    point -= share
    if (point < 0) return value
  }
  return first.value
}
