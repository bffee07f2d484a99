/** How many documents, and which if they are few: a few are looked for by hand. */
export interface DocumentCount {
  readonly count: number
  readonly paths: readonly string[]
}

const maxListedPaths = 3

/** Adds a document to those of its kind. */
export function countDocument<Kind>(counts: Map<Kind, DocumentCount>, kind: Kind, path: string): void {
  const { count, paths } = counts.get(kind) ?? { count: 0, paths: [] }
  counts.set(kind, { count: count + 1, paths: count < maxListedPaths ? [...paths, path] : [] })
}
