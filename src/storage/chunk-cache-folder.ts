import { join } from 'node:path'
import type { PartStore } from '../core/chunking/chunk-cache.ts'
import { isListOf, isObjectWith, isOneOf, isString, isText } from '../core/text/check-shape.ts'
import { type ChunkAnswer, type ChunkAnswers, createChunkAnswers } from './chunk-answers.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { writeWhole } from './fs/atomic-write.ts'
import { readLines } from './fs/read-lines.ts'
import { memoryFolder } from './output-folder.ts'

/** A document is done, and uses these chunks. */
interface Settled {
  readonly settled: string
  /** It has its summary, and has no other chunks. */
  readonly whole: boolean
  readonly parts: readonly string[]
}

/** The file is rewritten once this much of it is of no use any more: bytes. */
const mostWaste = 1_000_000

/**
 * The answers about chunks of long documents, in a file of an output folder: a line for each, and one when a document is
 * done. Read when the first is asked for. A line that cannot be read was never kept: its chunk is asked about again.
 * @param nonce makes temporary names this process's own
 */
export function partStore(out: string, nonce: string, costs: Pick<ChunkCosts, 'add'>): PartStore & Closable {
  const name = join(out, memoryFolder, 'parts.jsonl')
  const answers = createChunkAnswers()
  /** By the documents of this run, in the order of asking. */
  const used = new Map<string, Set<string>>()
  let opening: Promise<AppendFile> | undefined

  const open = async () => {
    let size = 0
    for await (const texts of readLines(name, out)) {
      for (const text of texts) {
        size += Buffer.byteLength(text) + 1
        apply(answers, parsed(text))
      }
    }
    const live = [...answers.values()].map((part) => `${JSON.stringify(part)}\n`)
    if (size - live.reduce((sum, line) => sum + Buffer.byteLength(line), 0) > mostWaste)
      await writeWhole(out, name, live, nonce, 0o600)
    return openAppendFile(name, { synced: true, mode: 0o600, root: out })
  }
  const opened = () => (opening ??= open())
  const use = (path: string, key: string) => {
    const keys = used.get(path) ?? new Set()
    used.set(path, keys.add(key))
  }

  return {
    async recall({ key, path }) {
      await opened()
      const known = answers.get(key)
      if (known !== undefined) use(path, key)
      return known
    },
    async keep({ key, path }, { text, model, attempts }) {
      // Before the answer: if only one of the two can be there after a crash, what was billed is booked.
      await costs.add(path, attempts)
      const part = { part: key, path, text, model }
      await (await opened()).append(JSON.stringify(part))
      answers.add(part)
      use(path, key)
    },
    async settle(path, whole) {
      const keys = used.get(path)
      if (keys === undefined) return
      used.delete(path)
      const line: Settled = { settled: path, whole, parts: [...keys] }
      await (await opened()).append(JSON.stringify(line)).catch(() => {})
      apply(answers, line)
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close()
    },
  }
}

interface Closable {
  close(): Promise<void>
}

function apply(answers: ChunkAnswers, line: ChunkAnswer | Settled | undefined): void {
  if (line === undefined) return
  if ('part' in line) answers.add(line)
  else if (line.whole) answers.keepOnly(line.settled, line.parts)
}

/** Undefined for what no run writes like this. */
function parsed(text: string): ChunkAnswer | Settled | undefined {
  try {
    const line: unknown = JSON.parse(text)
    if (isPart(line)) {
      const { part, path, text: answer, model } = line as ChunkAnswer
      return { part, path, text: answer, model }
    }
    if (!isSettled(line)) return undefined
    const { settled, whole, parts } = line as Settled
    return { settled, whole, parts }
  } catch {
    return undefined
  }
}

const isSettled = isObjectWith({
  settled: isText,
  whole: isOneOf(true, false),
  parts: isListOf(isString),
})

const isPart = isObjectWith({ part: isString, path: isText, text: isString, model: isString })
