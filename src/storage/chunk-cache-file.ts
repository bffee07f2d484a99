import { join } from 'node:path'
import type { ChunkCache } from '../core/chunking/chunk-cache.ts'
import { fromReportedFields, toReportedFields } from '../core/citations/citation-fields.ts'
import { stateFolder } from '../core/document/output-path.ts'
import {
  boolean,
  listOf,
  objectOf,
  oneOf,
  type Shape,
  string,
  stringWithoutNul,
  type TypeOf,
  taggedUnion,
} from '../core/text/shape.ts'
import {
  type CachedChunk,
  type CachedChunks,
  cachedChunkShape,
  createCachedChunks,
} from './chunk-cache-index.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { readLines } from './fs/read-lines.ts'

/** A line that marks a document as done and lists the chunks that it used. */
const documentDoneShape = objectOf({
  type: oneOf('document_done'),
  path: stringWithoutNul,
  /** Whether the document has its summary, so that its other chunks are obsolete. */
  complete: boolean,
  request_hashes: listOf(string),
})
type DocumentDone = TypeOf<typeof documentDoneShape>

/** Returns the path of an output folder's chunk cache. */
export function chunkCachePath(out: string): string {
  return join(out, stateFolder, 'chunk-cache.jsonl')
}

/** A line of the file. */
type CacheLine = CachedChunk | DocumentDone

const cacheLineShape = taggedUnion<Shape<CacheLine>>('type', {
  chunk: cachedChunkShape,
  document_done: documentDoneShape,
})

/** The file is rewritten when it has more than this many bytes of obsolete lines. */
const maxWasteBytes = 1_000_000

/**
 * Creates the chunk cache: replies about chunks of long documents, in a file of an output folder. The file
 * has a line for each reply, and a line for each document that is done. It is read at the first access. A
 * damaged line is ignored, so its chunk is requested again.
 * @param nonce makes the names of temporary files unique to this process
 */
export function createChunkCache(
  out: string,
  nonce: string,
  costs: Pick<ChunkCosts, 'add'>,
): ChunkCache & Closable {
  const file = chunkCachePath(out)
  const chunks = createCachedChunks()
  /** The chunks that the documents of this run use, by document path, in the order of access. */
  const keysInUse = new Map<string, Set<string>>()
  let fileOpening: Promise<AppendFile> | undefined

  const openFile = async () => {
    let size = 0
    for await (const texts of readLines(file, out)) {
      for (const text of texts) {
        size += Buffer.byteLength(text) + 1
        applyCacheLine(chunks, parseCacheLine(text))
      }
    }
    const liveLines = [...chunks.values()].map((chunk) => `${JSON.stringify(chunk)}\n`)
    if (size - liveLines.reduce((sum, line) => sum + Buffer.byteLength(line), 0) > maxWasteBytes)
      await writeFileAtomic(out, file, liveLines, nonce, 0o600)
    return openAppendFile(file, { durable: true, mode: 0o600, root: out })
  }
  const ensureOpen = () => (fileOpening ??= openFile())
  const markUsed = (path: string, key: string) => {
    const keys = keysInUse.get(path) ?? new Set()
    keysInUse.set(path, keys.add(key))
  }

  return {
    async get({ hash: key, path }) {
      await ensureOpen()
      const known = chunks.get(key)
      if (known === undefined) return undefined
      markUsed(path, key)
      const { text, model, citations } = known
      return { text, model, ...(citations && { citations: citations.map(fromReportedFields) }) }
    },
    async save({ hash: key, path }, { text, model, citations, attempts }) {
      // The cost is saved before the reply: if a crash keeps only one of them, the bill is still recorded.
      await costs.add(path, attempts)
      const cited = citations && { citations: citations.map(toReportedFields) }
      const chunk: CachedChunk = { type: 'chunk', request_hash: key, path, text, ...cited, model }
      await (await ensureOpen()).append(JSON.stringify(chunk))
      chunks.add(chunk)
      markUsed(path, key)
    },
    saveCost: ({ path }, { attempts }) => costs.add(path, attempts),
    async prune(path, complete) {
      const keys = keysInUse.get(path)
      if (keys === undefined) return
      keysInUse.delete(path)
      const line: DocumentDone = { type: 'document_done', path, complete, request_hashes: [...keys] }
      await (await ensureOpen()).append(JSON.stringify(line)).catch(() => {})
      applyCacheLine(chunks, line)
    },
    async close() {
      await (await fileOpening?.catch(() => undefined))?.close()
    },
  }
}

interface Closable {
  close(): Promise<void>
}

/** Applies a line of the file to the chunks of the lines before it. */
export function applyCacheLine(chunks: CachedChunks, line: CacheLine | undefined): void {
  if (line?.type === 'chunk') chunks.add(line)
  else if (line?.complete) chunks.retainOnly(line.path, line.request_hashes)
}

/** Parses a line and drops fields of other versions; returns undefined for an invalid line. */
export function parseCacheLine(text: string): CacheLine | undefined {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!cacheLineShape.matches(line)) return undefined
  if (line.type === 'document_done') {
    const { type, path, complete, request_hashes } = line
    return { type, path, complete, request_hashes }
  }
  const { type, request_hash, path, text: reply, citations, model } = line
  return { type, request_hash, path, text: reply, ...(citations && { citations }), model }
}
