import { hash } from 'node:crypto'

/** One of several equal parts: `{ part: 2, of: 5 }` is the second fifth. */
export interface Shard {
  readonly part: number
  readonly of: number
}

/**
 * Whether a document is in this part: by its path alone, so that each is in just one of them, and in the same one
 * tomorrow, whatever else there is.
 */
export function isInShard(path: string, { part, of }: Shard): boolean {
  return hash('sha256', `shard ${path}`, 'buffer').readUIntBE(0, 6) % of === part - 1
}
