import type { Shard } from './shard.ts'

/** A folder that has the documents of one shard. */
export interface ShardFolder {
  readonly name: string
  readonly shard: Shard
}

/** Returns what is wrong with the shards of several folders: missing ones, duplicates, different numbers of shards. */
export function findShardProblems(folders: readonly ShardFolder[]): string[] {
  const namesByShard = new Map<string, string[]>()
  for (const { name, shard } of folders) {
    const label = `${shard.index}/${shard.count}`
    namesByShard.set(label, [...(namesByShard.get(label) ?? []), name])
  }
  const duplicates = [...namesByShard].flatMap(([label, names]) =>
    names.length > 1 ? [`${names.length} folders have shard ${label}: ${names.join(', ')}`] : [],
  )
  const counts = new Set(folders.map(({ shard }) => shard.count))
  if (counts.size > 1) {
    const labels = [...namesByShard].map(([label, names]) => `${names[0]} ${label}`)
    return [...duplicates, `the shards do not belong together: ${formatList(labels)}`]
  }
  const [count = 0] = counts
  const missing = listMissing(count, new Set(folders.map(({ shard }) => shard.index)))
  return missing === undefined ? duplicates : [...duplicates, missing]
}

const maxListed = 20

function listMissing(count: number, found: ReadonlySet<number>): string | undefined {
  const missingCount = count - found.size
  if (missingCount === 0) return undefined
  const missing: string[] = []
  // The count comes from a file, so it may be very large.
  for (let index = 1; missing.length < Math.min(missingCount, maxListed); index++)
    if (!found.has(index)) missing.push(String(index))
  const more = missingCount - missing.length
  const list = `${missing.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return missingCount === 1
    ? `shard ${list} of ${count} is missing`
    : `shards ${list} of ${count} are missing`
}

function formatList(items: readonly string[]): string {
  const more = items.length - maxListed
  return `${items.slice(0, maxListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
