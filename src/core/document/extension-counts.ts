/** Numbers of files by extension: in lower case, without a dot; `''` for files without one. */
export type ExtensionCounts = ReadonlyMap<string, number>

/** Returns the extension of a path as in {@link ExtensionCounts}. The name of a hidden file is not one. */
export function readExtension(path: string): string {
  return /[^./\\]\.([^./\\\s]{1,16})$/.exec(path)?.[1]?.toLowerCase() ?? ''
}

/** Returns the extensions with their counts, the most frequent first. */
export function sortByCount(counts: ExtensionCounts): [extension: string, count: number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || compareExtensions(a, b))
}

/** Orders by the alphabet, files without an extension last. */
function compareExtensions(a: string, b: string): number {
  if (a === '' || b === '') return a === '' ? 1 : -1
  return a < b ? -1 : 1
}

/** Extensions in JSON; a tree of generated names may have any number. */
const maxListed = 100

/** Returns the counts for JSON. `(none)` counts files without an extension, `(other)` those of rare ones. */
export function toExtensionRecord(counts: ExtensionCounts): Record<string, number> {
  const sorted = sortByCount(counts)
  const listed = sorted
    .slice(0, maxListed)
    .map(([extension, count]) => [extension === '' ? '(none)' : extension, count] as const)
  const others = sorted.slice(maxListed).reduce((sum, [, count]) => sum + count, 0)
  return Object.fromEntries(others === 0 ? listed : [...listed, ['(other)', others]])
}
