import { applyCacheLine, chunkCachePath, parseCacheLine } from '../chunk-cache-file.ts'
import { createCachedChunks } from '../chunk-cache-index.ts'
import { openAppendFile } from '../fs/append-file.ts'
import { readLines } from '../fs/read-lines.ts'

/**
 * Appends the cached chunks of other folders to the chunk cache of the target, without those that it has. Keeps no text
 * in memory.
 * @param out the target; absolute
 * @param sources the other folders; absolute
 * @throws ExitError `ioError`
 */
export async function mergeChunkCache(out: string, sources: readonly string[]): Promise<void> {
  const known = await readLiveKeys(out)
  for (const source of sources) {
    const liveKeys = await readLiveKeys(source)
    const missing = new Set([...liveKeys].filter((key) => !known.has(key)))
    if (missing.size === 0) continue
    const file = await openAppendFile(chunkCachePath(out), { mode: 0o600, root: out })
    try {
      for await (const texts of readLines(chunkCachePath(source), source)) {
        const chunks = texts.map(parseCacheLine).filter((line) => line?.type === 'chunk')
        for (const chunk of chunks)
          if (missing.has(chunk.request_hash)) await file.append(JSON.stringify(chunk))
      }
      await file.sync()
    } finally {
      await file.close()
    }
    for (const key of missing) known.add(key)
  }
}

/** Returns the request hashes of the chunks that documents still use. */
async function readLiveKeys(out: string): Promise<Set<string>> {
  const chunks = createCachedChunks()
  for await (const texts of readLines(chunkCachePath(out), out))
    for (const text of texts) {
      const line = parseCacheLine(text)
      applyCacheLine(chunks, line?.type === 'chunk' ? { ...line, text: '' } : line)
    }
  return new Set([...chunks.values()].map(({ request_hash }) => request_hash))
}
