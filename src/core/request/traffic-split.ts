import { hash } from 'node:crypto'

/** One of several ways, and which share of the documents goes it. */
export interface Arm<Way> {
  readonly way: Way
  /** In relation to those of the others. */
  readonly share: number
}

/**
 * The way a document goes: decided by its path alone, so that it goes the same one tomorrow, whatever is in it then and
 * whatever else there is.
 * @param arms at least one
 */
export function wayOf<Way>(arms: readonly Arm<Way>[], path: string): Way {
  const [first] = arms
  if (first === undefined) throw new Error('a split has at least one arm')
  if (arms.length === 1) return first.way
  const total = arms.reduce((sum, { share }) => sum + share, 0)
  let point = (hash('sha256', path, 'buffer').readUIntBE(0, 6) / 2 ** 48) * total
  for (const { way, share } of arms) {
    point -= share
    if (point < 0) return way
  }
  return first.way
}
