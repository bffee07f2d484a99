import { isInShard } from '../../src/core/document/shard.ts'

/** Returns documents for `docs/` of which each shard has the same number, so that their batches have equal sizes. */
export function createShardDocuments(shards: number, perShard: number): Readonly<Record<string, string>> {
  const names = Array.from({ length: 100 * shards * perShard }, (_, n) => `docs/${n}.md`)
  const paths = Array.from({ length: shards }, (_, n) =>
    names.filter((path) => isInShard(path, { index: n + 1, count: shards })).slice(0, perShard),
  )
  return Object.fromEntries(
    paths.flat().map((path) => [path, `Note ${path}: the board met and dredged the channel.`]),
  )
}
