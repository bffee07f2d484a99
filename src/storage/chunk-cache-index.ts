import { reportedCitationShape } from '../core/citations/citation-fields.ts'
import {
  listOf,
  objectOf,
  oneOf,
  optional,
  string,
  stringWithoutNul,
  type TypeOf,
} from '../core/text/shape.ts'

/** A cached reply about a chunk of a document. */
export const cachedChunkShape = objectOf({
  type: oneOf('chunk'),
  request_hash: string,
  /** The path of the document. */
  path: stringWithoutNul,
  text: string,
  citations: optional(listOf(reportedCitationShape)),
  /** The model that replied. */
  model: string,
})
export interface CachedChunk extends TypeOf<typeof cachedChunkShape> {}

/** The cached chunks that documents still use, in memory. A key is a request hash. */
export interface CachedChunks {
  get(key: string): CachedChunk | undefined
  /** Adds a chunk, or replaces the one with the same request hash. */
  add(chunk: CachedChunk): void
  /** Removes the chunks of a document, except those with these keys. */
  retainOnly(path: string, keys: readonly string[]): void
  values(): Iterable<CachedChunk>
}

/**
 * Creates an empty index. Chunks are indexed by request hash and by document, so the time of a call does not
 * depend on the total number of chunks.
 */
export function createCachedChunks(): CachedChunks {
  const chunks = new Map<string, CachedChunk>()
  const keysByPath = new Map<string, Set<string>>()
  const remove = (key: string, path: string) => {
    chunks.delete(key)
    const keys = keysByPath.get(path)
    keys?.delete(key)
    if (keys?.size === 0) keysByPath.delete(path)
  }
  return {
    get: (key) => chunks.get(key),
    add(chunk) {
      const { request_hash: key, path } = chunk
      const previous = chunks.get(key)
      if (previous !== undefined && previous.path !== path) remove(key, previous.path)
      chunks.set(key, chunk)
      const keys = keysByPath.get(path) ?? new Set()
      keysByPath.set(path, keys.add(key))
    },
    retainOnly(path, keys) {
      const retained = new Set(keys)
      for (const key of [...(keysByPath.get(path) ?? [])]) if (!retained.has(key)) remove(key, path)
    },
    values: () => chunks.values(),
  }
}
