import { hash } from 'node:crypto'
import { type DocumentRef, renumber } from './document.ts'

/** One of several equal parts: `{ part: 2, of: 5 }` is the second fifth. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** The documents of one shard, numbered again from 0. */
export function selectShard(documents: readonly DocumentRef[], shard: Shard): readonly DocumentRef[] {
  return renumber(documents.filter(({ path }) => isInShard(path, shard)))
}

/**
 * Whether a document is in this part: by its path alone, so that each is in just one of them, and in the same one
 * tomorrow, whatever else there is.
 */
export function isInShard(path: string, { index, count: of }: Shard): boolean {
  return hash('sha256', `shard ${path}`, 'buffer').readUIntBE(0, 6) % of === index - 1
}
