import { hash } from 'node:crypto'

/** One of several variants, with its share of the documents. */
export interface WeightedVariant<Value> {
  readonly value: Value
  /** Relative to the weights of the other variants. */
  readonly weight: number
}

/**
 * Returns the variant of a document. It depends on the path alone, so that a document keeps its variant when
 * its content changes or other documents are added.
 * @param variants at least one
 */
export function pickVariant<Value>(variants: readonly WeightedVariant<Value>[], path: string): Value {
  const [first] = variants
  if (first === undefined) throw new Error('there is no variant to choose from')
  if (variants.length === 1) return first.value
  const total = variants.reduce((sum, { weight }) => sum + weight, 0)
  let point = (hash('sha256', path, 'buffer').readUIntBE(0, 6) / 2 ** 48) * total
  for (const { value, weight } of variants) {
    point -= weight
    if (point < 0) return value
  }
  return first.value
}
