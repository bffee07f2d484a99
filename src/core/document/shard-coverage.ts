import type { Shard } from './shard.ts'

/** How a job array numbers its tasks: the first number, and the difference between two numbers in a row. */
export interface TaskNumbering {
  readonly base: number
  readonly step: number
}

/** A folder that has the documents of one shard. */
export interface ShardFolder {
  readonly name: string
  /** `numbering` is undefined if the user named the shard. */
  readonly shard: Shard & { readonly numbering?: TaskNumbering }
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
  const missing = listMissing(count, new Set(folders.map(({ shard }) => shard.index)), findNumbering(folders))
  return missing === undefined ? duplicates : [...duplicates, missing]
}

const maxListed = 20

/** Returns how the tasks are numbered; undefined if some folders do not say so, or if they differ. */
function findNumbering(folders: readonly ShardFolder[]): TaskNumbering | undefined {
  const [first, ...others] = folders.map(({ shard }) => shard.numbering)
  return others.every((it) => it?.base === first?.base && it?.step === first?.step) ? first : undefined
}

function listMissing(
  count: number,
  found: ReadonlySet<number>,
  numbering: TaskNumbering | undefined,
): string | undefined {
  const missingCount = count - found.size
  if (missingCount === 0) return undefined
  const missing: number[] = []
  // The count comes from a file, so it may be very large.
  for (let index = 1; missing.length < Math.min(missingCount, maxListed); index++)
    if (!found.has(index)) missing.push(index)
  const more = missingCount > missing.length ? ` and ${missingCount - missing.length} more` : ''
  const shards = `${missing.join(', ')}${more} of ${count}`
  const isOne = missingCount === 1
  const text = isOne ? `shard ${shards} is missing` : `shards ${shards} are missing`
  if (numbering === undefined) return text
  // Most job arrays number their tasks from 0.
  const tasks = missing.map((index) => numbering.base + (index - 1) * numbering.step)
  return `${text} (${isOne ? 'task' : 'tasks'} ${tasks.join(', ')}${more} of the job array)`
}

function formatList(items: readonly string[]): string {
  const more = items.length - maxListed
  return `${items.slice(0, maxListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
