/** An answer about a chunk of a document. */
export interface ChunkAnswer {
  /** The key of the request. */
  readonly part: string
  /** Of the document. */
  readonly path: string
  readonly text: string
  /** That answered. */
  readonly model: string
}

/** The answers about chunks that documents still use. */
export interface ChunkAnswers {
  get(key: string): ChunkAnswer | undefined
  /** Adds an answer, or replaces the one to the same request. */
  add(answer: ChunkAnswer): void
  /** Forgets the answers about a document but those to the requests with these keys. */
  keepOnly(path: string, keys: readonly string[]): void
  values(): Iterable<ChunkAnswer>
}

/**
 * Creates an empty collection of answers. They are found by request and by document, so that each call takes time in
 * proportion to the answers that it names, however many there are in all.
 */
export function createChunkAnswers(): ChunkAnswers {
  const answers = new Map<string, ChunkAnswer>()
  const keysByPath = new Map<string, Set<string>>()
  const forget = (key: string, path: string) => {
    answers.delete(key)
    const keys = keysByPath.get(path)
    keys?.delete(key)
    if (keys?.size === 0) keysByPath.delete(path)
  }
  return {
    get: (key) => answers.get(key),
    add(answer) {
      const { part: key, path } = answer
      const earlier = answers.get(key)
      if (earlier !== undefined && earlier.path !== path) forget(key, earlier.path)
      answers.set(key, answer)
      const keys = keysByPath.get(path) ?? new Set()
      keysByPath.set(path, keys.add(key))
    },
    keepOnly(path, keys) {
      const kept = new Set(keys)
      for (const key of [...(keysByPath.get(path) ?? [])]) if (!kept.has(key)) forget(key, path)
    },
    values: () => answers.values(),
  }
}
