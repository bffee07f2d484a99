import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Packed } from '../core/batch.ts'
import type { BatchStore, Packing, StoredBatch } from '../core/batch-store.ts'
import type { Clock } from '../core/clock.ts'
import { type DocumentLine, ledgerVersion, type RunFacts } from '../core/ledger-line.ts'
import { seenFrom } from '../core/source-path.ts'
import type { TextKind } from '../core/text-kind.ts'
import { type AppendFile, openAppendFile } from './append-file.ts'
import { makeFolder, syncFolder } from './directories.ts'
import { cannotRead, cannotWrite } from './disk-error.ts'
import { newerThanWeAre } from './ledger.ts'
import { readLines } from './lines.ts'
import { memoryFolder } from './output-folder.ts'

/** Begins the file of a batch. */
interface BatchLine {
  readonly v: number
  readonly batch: string
  readonly endpoint: string
  /** The working directory that the paths are relative to, as seen from the output folder. */
  readonly base: string
}

/** A document of it. */
interface PackedLine extends RunFacts {
  readonly id: string
  readonly path: string
  readonly key: string
  readonly size: number
  readonly mtime?: number
  readonly sha256: string
  readonly chars: number
  readonly kind: TextKind
  readonly max_tokens: number
}

/** The last document was the last; and later, that the service has it. Both ISO 8601. */
interface SealedLine {
  readonly sealed: string
}
interface MadeLine {
  readonly made: string
  readonly time: string
}

type Line = BatchLine | PackedLine | SealedLine | MadeLine

export interface BatchStoreOptions {
  /** The output folder. */
  readonly out: string
  /** The working directory, as seen from it. */
  readonly here: string
  /** Of the service that will be asked. */
  readonly endpoint: string
  readonly clock: Pick<Clock, 'wall'>
}

/** What an output folder remembers of batches, with what the ledger tells about them. */
export interface Batches extends BatchStore {
  /** To be shown all lines of the ledger, with their paths as seen from here, before anything else is asked. */
  saw(line: DocumentLine, path: string): void
}

/**
 * A file for each batch, `batches/<name>.jsonl`, which is there from before the batch is sent until all of it is
 * collected; and beside it, until the service has it, what is sent. What was packed and not sealed was never sent.
 * For the holder of the folder's lock alone.
 * @throws RunError `io`, `usage` where a newer version wrote one
 */
export async function openBatches(options: BatchStoreOptions): Promise<Batches> {
  const folder = folderIn(options.out)
  const names = await filesIn(folder)
  for (const name of names) {
    const [intent = '', kind] = name.split('.')
    if (kind === 'body' && !names.includes(`${intent}.jsonl`)) await forget(folder, intent)
  }
  const recorded = new Map<string, Set<string>>()
  const open: StoredBatch[] = []
  for await (const batch of batchesIn(folder, names, options)) {
    if ('documents' in batch) open.push(stored(folder, batch, recorded, options))
    else await forget(folder, batch.intent)
  }
  for (const { id } of open) if (id !== undefined) recorded.set(id, new Set())
  return {
    open: open.sort((a, b) => a.packed - b.packed),
    saw({ batch }, path) {
      if (batch !== undefined) recorded.get(batch)?.add(path)
    },
    pack: () => packing(folder, recorded, options),
  }
}

/** What is remembered of batches, the oldest first, for whoever only wants to know. @throws RunError as above */
export async function knownBatches(
  options: Pick<BatchStoreOptions, 'out' | 'here'>,
): Promise<readonly Loaded[]> {
  const folder = folderIn(options.out)
  const known: Loaded[] = []
  for await (const batch of batchesIn(folder, await filesIn(folder), options))
    if ('documents' in batch) known.push(batch)
  return known.sort((a, b) => a.packed - b.packed)
}

/** Gives a batch up. @throws RunError `io` */
export function forgetBatch(out: string, intent: string): Promise<void> {
  return forget(folderIn(out), intent)
}

function folderIn(out: string): string {
  return join(out, memoryFolder, 'batches')
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw cannotRead(folder, error)
  })
  return names.filter((name) => /^[0-9a-f]{16}\.(jsonl|body)$/.test(name))
}

/** Of those that were not sealed, the name alone. */
async function* batchesIn(
  folder: string,
  names: readonly string[],
  options: Pick<BatchStoreOptions, 'out' | 'here'>,
): AsyncGenerator<Loaded | { readonly intent: string }> {
  for (const name of names) {
    const [intent = '', kind] = name.split('.')
    if (kind === 'jsonl') yield loaded(folder, intent, options)
  }
}

interface Loaded {
  readonly intent: string
  readonly endpoint: string
  readonly packed: number
  readonly documents: ReadonlyMap<string, Packed>
  readonly id: string | undefined
}

async function loaded(
  folder: string,
  intent: string,
  { out, here }: Pick<BatchStoreOptions, 'out' | 'here'>,
): Promise<Loaded | { readonly intent: string }> {
  const file = join(folder, `${intent}.jsonl`)
  const documents = new Map<string, Packed>()
  let [endpoint, base] = ['', here]
  let packed: number | undefined
  let id: string | undefined
  let facts: RunFacts | undefined
  for await (const texts of readLines(file)) {
    for (const text of texts) {
      const line = parsed(text)
      if (line === undefined) continue
      if ('batch' in line) {
        if (line.v > ledgerVersion) throw newerThanWeAre(file, line.v)
        endpoint = line.endpoint
        base = line.base
      } else if ('id' in line) {
        const { recipe, prompt, model } = line
        // One object for all documents in a row that were asked about alike.
        if (facts?.recipe !== recipe || facts.prompt !== prompt || facts.model !== model)
          facts = { recipe, prompt, model }
        documents.set(line.id, packedFrom(line, facts, seenFrom(out, here, base, line.path)))
      } else if ('sealed' in line) packed = Date.parse(line.sealed)
      else id = line.made
    }
  }
  return packed === undefined ? { intent } : { intent, endpoint, packed, documents, id }
}

function stored(
  folder: string,
  { id: known, ...batch }: Loaded,
  recorded: ReadonlyMap<string, ReadonlySet<string>>,
  { clock }: BatchStoreOptions,
): StoredBatch {
  let id = known
  return {
    ...batch,
    get id() {
      return id
    },
    body: () => createReadStream(join(folder, `${batch.intent}.body`), { highWaterMark: 256 * 1024 }),
    async made(given) {
      id = given
      const file = await openAppendFile(join(folder, `${batch.intent}.jsonl`), { synced: true })
      try {
        await file.append(JSON.stringify({ made: given, time: timeOf(clock) } satisfies MadeLine))
      } finally {
        await file.close()
      }
      await rm(join(folder, `${batch.intent}.body`), { force: true }).catch(() => {})
    },
    isRecorded: (path) => (id !== undefined && recorded.get(id)?.has(path)) ?? false,
    forget: () => forget(folder, batch.intent),
  }
}

async function packing(
  folder: string,
  recorded: ReadonlyMap<string, ReadonlySet<string>>,
  options: BatchStoreOptions,
): Promise<Packing> {
  const { here, endpoint, clock } = options
  const intent = randomBytes(8).toString('hex')
  await makeFolder(folder).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(folder, error)
  })
  const lines = await openAppendFile(join(folder, `${intent}.jsonl`), { mode: 0o600 })
  const body = await openAppendFile(join(folder, `${intent}.body`), { mode: 0o600 }).catch(
    async (error: unknown) => {
      await lines.close()
      throw error
    },
  )
  const documents = new Map<string, Packed>()
  let bytes = 0
  const write = async (file: AppendFile, text: string) => {
    if (file === body) bytes += Buffer.byteLength(text) + 1
    await file.append(text)
  }
  const close = async () => {
    await lines.close()
    await body.close()
  }
  const head = { v: ledgerVersion, batch: intent, endpoint, base: here } satisfies BatchLine
  await write(lines, JSON.stringify(head))
  await write(body, '{"requests":[')
  return {
    intent,
    get load() {
      return { requests: documents.size, bytes: bytes + end.length }
    },
    async add(id, document, entry) {
      const separator = documents.size === 0 ? '' : ','
      documents.set(id, document)
      await Promise.all([
        write(lines, JSON.stringify(lineFrom(id, document))),
        write(body, `${separator}${entry}`),
      ])
    },
    async seal() {
      const sealed = timeOf(clock)
      await write(body, end)
      await body.sync()
      await write(lines, JSON.stringify({ sealed } satisfies SealedLine))
      await lines.sync()
      await close()
      await syncFolder(folder)
      const batch = { intent, endpoint, packed: Date.parse(sealed), documents, id: undefined }
      return stored(folder, batch, recorded, options)
    },
    async discard() {
      await close()
      await forget(folder, intent)
    },
  }
}

const end = ']}'

async function forget(folder: string, intent: string): Promise<void> {
  // The other way round, a crash between the two would leave a body that nobody knows.
  for (const name of [`${intent}.body`, `${intent}.jsonl`])
    await rm(join(folder, name), { force: true }).catch((error: NodeJS.ErrnoException) => {
      throw cannotWrite(join(folder, name), error)
    })
}

function timeOf(clock: Pick<Clock, 'wall'>): string {
  return new Date(clock.wall()).toISOString()
}

/** Undefined for what is torn: such a line had not been said yet. */
function parsed(text: string): Line | undefined {
  try {
    return text === '' ? undefined : (JSON.parse(text) as Line)
  } catch {
    return undefined
  }
}

function lineFrom(id: string, { path, asked, maxTokens }: Packed): PackedLine {
  const { key, bytes, characters, kind, facts } = asked
  return {
    id,
    path,
    key,
    size: bytes.size,
    ...(bytes.mtimeMs !== undefined && { mtime: bytes.mtimeMs }),
    sha256: bytes.sha256,
    chars: characters,
    kind,
    max_tokens: maxTokens,
    recipe: facts.recipe,
    prompt: facts.prompt,
    model: facts.model,
  }
}

function packedFrom(line: PackedLine, facts: RunFacts, path: string): Packed {
  const { key, size, mtime, sha256, chars: characters, kind, max_tokens: maxTokens } = line
  const bytes = { size, sha256, ...(mtime !== undefined && { mtimeMs: mtime }) }
  return { path, asked: { key, bytes, characters, kind, facts }, maxTokens }
}
