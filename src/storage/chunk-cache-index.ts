import { objectOf, oneOf, string, stringWithoutNul, type TypeOf } from '../core/text/shape.ts'

/** The reply about a chunk of a document. */
export const cachedChunkShape = objectOf({
  type: oneOf('chunk'),
  /** Of the request. */
  request_hash: string,
  /** Of the document. */
  path: stringWithoutNul,
  text: string,
  /** The model that replied. */
  model: string,
})
export interface CachedChunk extends TypeOf<typeof cachedChunkShape> {}

/** The answers about chunks that documents still use. */
export interface CachedChunks {
  get(key: string): CachedChunk | undefined
  /** Adds an answer, or replaces the one to the same request. */
  add(answer: CachedChunk): void
  /** Forgets the answers about a document but those to the requests with these keys. */
  retainOnly(path: string, keys: readonly string[]): void
  values(): Iterable<CachedChunk>
}

/**
 * Creates an empty collection of answers. They are found by request and by document, so that each call takes
 * time in proportion to the answers that it names, however many there are in all.
 */
export function createCachedChunks(): CachedChunks {
  const answers = new Map<string, CachedChunk>()
  const keysByPath = new Map<string, Set<string>>()
  const remove = (key: string, path: string) => {
    answers.delete(key)
    const keys = keysByPath.get(path)
    keys?.delete(key)
    if (keys?.size === 0) keysByPath.delete(path)
  }
  return {
    get: (key) => answers.get(key),
    add(answer) {
      const { request_hash: key, path } = answer
      const previous = answers.get(key)
      if (previous !== undefined && previous.path !== path) remove(key, previous.path)
      answers.set(key, answer)
      const keys = keysByPath.get(path) ?? new Set()
      keysByPath.set(path, keys.add(key))
    },
    retainOnly(path, keys) {
      const retained = new Set(keys)
      for (const key of [...(keysByPath.get(path) ?? [])]) if (!retained.has(key)) remove(key, path)
    },
    values: () => answers.values(),
  }
}
