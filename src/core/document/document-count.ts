/** A number of documents. `paths` is empty for more than three, because users check only a few by hand. */
export interface DocumentCount {
  readonly count: number
  readonly paths: readonly string[]
}

const maxListedPaths = 3

/** Adds a document to the count of its kind. */
export function countDocument<Kind>(counts: Map<Kind, DocumentCount>, kind: Kind, path: string): void {
  const { count, paths } = counts.get(kind) ?? { count: 0, paths: [] }
  counts.set(kind, { count: count + 1, paths: count < maxListedPaths ? [...paths, path] : [] })
}
