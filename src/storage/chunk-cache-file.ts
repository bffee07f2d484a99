import { join } from 'node:path'
import type { ChunkCache } from '../core/chunking/chunk-cache.ts'
import { isListOf, isObjectWith, isOneOf, isString, isStringWithoutNul } from '../core/text/shape-checks.ts'
import { type CachedChunk, type CachedChunks, createCachedChunks } from './cached-chunks.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { readLines } from './fs/read-lines.ts'
import { memoryFolder } from './output-folder.ts'

/** A document is done, and uses these chunks. */
interface CompletedDocument {
  readonly settled: string
  /** It has its summary, and has no other chunks. */
  readonly whole: boolean
  readonly parts: readonly string[]
}

/** The file is rewritten once this much of it is of no use any more: bytes. */
const maxWasteBytes = 1_000_000

/**
 * The answers about chunks of long documents, in a file of an output folder: a line for each, and one when a document is
 * done. Read when the first is asked for. A line that cannot be read was never kept: its chunk is asked about again.
 * @param nonce makes temporary names this process's own
 */
export function createChunkCache(
  out: string,
  nonce: string,
  costs: Pick<ChunkCosts, 'add'>,
): ChunkCache & Closable {
  const file = join(out, memoryFolder, 'parts.jsonl')
  const chunks = createCachedChunks()
  /** By the documents of this run, in the order of asking. */
  const keysInUse = new Map<string, Set<string>>()
  let fileOpening: Promise<AppendFile> | undefined

  const openFile = async () => {
    let size = 0
    for await (const texts of readLines(file, out)) {
      for (const text of texts) {
        size += Buffer.byteLength(text) + 1
        applyLine(chunks, parseCacheLine(text))
      }
    }
    const liveLines = [...chunks.values()].map((part) => `${JSON.stringify(part)}\n`)
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
      if (known !== undefined) markUsed(path, key)
      return known
    },
    async save({ hash: key, path }, { text, model, attempts }) {
      // Before the answer: if only one of the two can be there after a crash, what was billed is booked.
      await costs.add(path, attempts)
      const part = { part: key, path, text, model }
      await (await ensureOpen()).append(JSON.stringify(part))
      chunks.add(part)
      markUsed(path, key)
    },
    async prune(path, whole) {
      const keys = keysInUse.get(path)
      if (keys === undefined) return
      keysInUse.delete(path)
      const line: CompletedDocument = { settled: path, whole, parts: [...keys] }
      await (await ensureOpen()).append(JSON.stringify(line)).catch(() => {})
      applyLine(chunks, line)
    },
    async close() {
      await (await fileOpening?.catch(() => undefined))?.close()
    },
  }
}

interface Closable {
  close(): Promise<void>
}

function applyLine(chunks: CachedChunks, line: CachedChunk | CompletedDocument | undefined): void {
  if (line === undefined) return
  if ('part' in line) chunks.add(line)
  else if (line.whole) chunks.retainOnly(line.settled, line.parts)
}

/** Undefined for what no run writes like this. */
function parseCacheLine(text: string): CachedChunk | CompletedDocument | undefined {
  try {
    const line: unknown = JSON.parse(text)
    if (isCachedChunk(line)) {
      const { part, path, text: answer, model } = line as CachedChunk
      return { part, path, text: answer, model }
    }
    if (!isCompletedDocument(line)) return undefined
    const { settled, whole, parts } = line as CompletedDocument
    return { settled, whole, parts }
  } catch {
    return undefined
  }
}

const isCompletedDocument = isObjectWith({
  settled: isStringWithoutNul,
  whole: isOneOf(true, false),
  parts: isListOf(isString),
})

const isCachedChunk = isObjectWith({
  part: isString,
  path: isStringWithoutNul,
  text: isString,
  model: isString,
})
