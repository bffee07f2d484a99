import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Attempt } from '../core/attempt.ts'
import type { PartStore } from '../core/part-store.ts'
import { type AppendFile, openAppendFile } from './append-file.ts'
import { cannotRead } from './disk-error.ts'
import { memoryFolder } from './output-folder.ts'
import { writeWhole } from './whole-file.ts'

interface Part {
  readonly part: string
  readonly path: string
  readonly text: string
  readonly model: string
  /** What was paid for it and is in no account yet. */
  readonly attempts: readonly Attempt[]
}

/** A document is accounted for, these parts of it among them. */
interface Settled {
  readonly settled: string
  /** Those are all it has. */
  readonly whole: boolean
  readonly parts: readonly string[]
}

/** What is in the file that says nothing any more may be so much: bytes. */
const mostWaste = 1_000_000

/**
 * The answers about parts of long documents, in a file of an output folder: a line for each, and one when a document is
 * accounted for. Read when the first is asked for. A line that cannot be read was never kept: it is asked again.
 * @param nonce makes temporary names this process's own
 */
export function partStore(out: string, nonce: string): PartStore & { close(): Promise<void> } {
  const name = join(out, memoryFolder, 'parts.jsonl')
  const parts = new Map<string, Part>()
  /** Of the documents of this run, in the order of asking. */
  const used = new Map<string, Set<string>>()
  let opening: Promise<AppendFile> | undefined

  const open = async () => {
    const text = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw cannotRead(name, error)
    })
    for (const line of text.split('\n')) take(parts, parsed(line))
    const live = [...parts.values()].map(lineOf)
    if (text.length - live.reduce((sum, line) => sum + line.length, 0) > mostWaste)
      await writeWhole(out, name, live, nonce)
    return openAppendFile(name, { synced: true, mode: 0o600 })
  }
  const opened = () => (opening ??= open())
  const use = (path: string, key: string) => {
    const keys = used.get(path) ?? new Set()
    used.set(path, keys.add(key))
  }

  return {
    async recall({ key, path }) {
      await opened()
      const known = parts.get(key)
      if (known !== undefined) use(path, key)
      return known
    },
    async keep({ key, path }, { text, model, attempts }) {
      const part = { part: key, path, text, model, attempts }
      await (await opened()).append(lineOf(part).trimEnd())
      parts.set(key, part)
      use(path, key)
    },
    async settle(path, whole) {
      const keys = used.get(path)
      if (keys === undefined) return
      used.delete(path)
      const line: Settled = { settled: path, whole, parts: [...keys] }
      await (await opened()).append(JSON.stringify(line))
      take(parts, line)
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close()
    },
  }
}

function take(parts: Map<string, Part>, line: Part | Settled | undefined): void {
  if (line === undefined) return
  if ('part' in line) {
    parts.set(line.part, line)
    return
  }
  const left = new Set(line.parts)
  for (const [key, part] of parts)
    if (left.has(key)) parts.set(key, { ...part, attempts: [] })
    else if (line.whole && part.path === line.settled) parts.delete(key)
}

function lineOf(part: Part): string {
  const exact = (_name: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  return `${JSON.stringify(part, exact)}\n`
}

function parsed(line: string): Part | Settled | undefined {
  if (line === '') return undefined
  try {
    const { part, path, text, model, attempts, settled, whole, parts } = JSON.parse(line) as Record<
      string,
      unknown
    >
    if (typeof settled === 'string' && Array.isArray(parts)) return { settled, whole: whole === true, parts }
    if (![part, path, text, model].every((it) => typeof it === 'string') || !Array.isArray(attempts))
      return undefined
    return { part, path, text, model, attempts: attempts.map(attemptFrom) } as Part
  } catch {
    return undefined
  }
}

function attemptFrom(raw: Attempt): Attempt {
  return raw.cost === undefined ? raw : { ...raw, cost: BigInt(raw.cost) }
}
