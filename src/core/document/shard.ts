import { hash } from 'node:crypto'
import { type DocumentRef, renumber } from './document.ts'

/** One of several equal parts: `{ index: 2, count: 5 }` is the second fifth. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** A shard, or that the job array decides it, perhaps with the number of shards. */
export type ShardSetting = Shard | { readonly auto: true; readonly count: number | undefined }

/** Returns the documents of one shard, numbered again from 0. */
export function selectShard(documents: readonly DocumentRef[], shard: Shard): readonly DocumentRef[] {
  return renumber(documents.filter(({ path }) => isInShard(path, shard)))
}

/**
 * Whether a document is in a shard. This depends on its path alone, so that each document is in exactly one
 * shard, and stays in it when other documents are added.
 */
export function isInShard(path: string, { index, count }: Shard): boolean {
  return hash('sha256', `shard ${path}`, 'buffer').readUIntBE(0, 6) % count === index - 1
}
