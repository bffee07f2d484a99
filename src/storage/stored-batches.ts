import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Packed } from '../core/batch/batch.ts'
import {
  type BatchFile,
  batchFileVersion,
  createDocumentLines,
  createdLine,
  headLine,
  sealedLine,
  settledLine,
} from '../core/batch/batch-file.ts'
import type { BatchStore, Packing, StoredBatch } from '../core/batch/batch-store.ts'
import { createBatchFileReader } from '../core/batch/read-batch-file.ts'
import { seenFrom } from '../core/document/document-path.ts'
import type { Clock } from '../core/rate-limit/clock.ts'
import type { DocumentLine } from '../core/run/ledger-entry.ts'
import { RunError } from '../errors.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { cannotRead, cannotWrite } from './fs/disk-error.ts'
import { makeFolderBelow, syncFolder } from './fs/output-directories.ts'
import { listFolder, openToRead, removeFile } from './fs/output-files.ts'
import { readLines } from './fs/read-lines.ts'
import { newerThanWeAre } from './ledger/ledger.ts'
import { memoryFolder } from './output-folder.ts'

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
  /** To be shown all lines of the ledger, with their paths relative to the working directory, before anything else is asked. */
  saw(line: DocumentLine, path: string): void
}

/**
 * Opens the batches of an output folder. Each has a file, `batches/<name>.jsonl`, from before it is sent until all of it
 * is collected; next to that, until the API has it, is the body that is sent. What was packed and not sealed was never
 * sent. For the holder of the folder's lock alone.
 * @throws RunError `io`, also where a file is damaged; `usage` where another version wrote one
 */
export async function openBatches(options: BatchStoreOptions): Promise<Batches> {
  const folder = folderIn(options.out)
  const names = await filesIn(options.out)
  for (const name of names) {
    const [intent = '', kind] = name.split('.')
    if (kind === 'body' && !names.includes(`${intent}.jsonl`)) await forgetBatch(options.out, intent)
  }
  const recorded = new Map<string, Set<string>>()
  const open: StoredBatch[] = []
  for await (const file of batchesIn(folder, names, options)) {
    if (!isSealed(file)) await forgetBatch(options.out, file.batch)
    else open.push(stored(folder, file, recorded, options))
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

/** Reads the batches of an output folder and changes nothing, the oldest first. @throws RunError as above */
export async function knownBatches(
  options: Pick<BatchStoreOptions, 'out' | 'here'>,
): Promise<readonly KnownBatch[]> {
  const folder = folderIn(options.out)
  const known: KnownBatch[] = []
  for await (const file of batchesIn(folder, await filesIn(options.out), options))
    if (isSealed(file)) known.push(knownFrom({ ...file, documents: unsettled(file) }))
  return known.sort((a, b) => a.packed - b.packed)
}

/** Gives a batch up. @throws RunError `io` */
export async function forgetBatch(out: string, intent: string): Promise<void> {
  // The other way round, a crash between the two would leave a body that belongs to nothing.
  for (const name of [`${intent}.body`, `${intent}.jsonl`]) {
    const file = join(folderIn(out), name)
    await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
      throw cannotWrite(file, error)
    })
  }
}

function folderIn(out: string): string {
  return join(out, memoryFolder, 'batches')
}

async function filesIn(out: string): Promise<string[]> {
  const folder = folderIn(out)
  const names = await listFolder(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw cannotRead(folder, error)
  })
  return names.filter((name) => /^[0-9a-f]{16}\.(jsonl|body)$/.test(name))
}

async function* batchesIn(
  folder: string,
  names: readonly string[],
  options: Pick<BatchStoreOptions, 'out' | 'here'>,
): AsyncGenerator<BatchFile> {
  for (const name of names) {
    const [intent = '', kind] = name.split('.')
    if (kind === 'jsonl') yield fileOf(folder, intent, options)
  }
}

async function fileOf(
  folder: string,
  intent: string,
  { out, here }: Pick<BatchStoreOptions, 'out' | 'here'>,
): Promise<BatchFile> {
  const file = join(folder, `${intent}.jsonl`)
  const reader = createBatchFileReader((base, path) => seenFrom(out, here, base, path))
  for await (const lines of readLines(file, out)) for (const line of lines) reader.take(line)
  const found = reader.end(intent)
  if ('version' in found) {
    if (Number(found.version) > batchFileVersion) throw newerThanWeAre(file, Number(found.version))
    throw new RunError(
      'usage',
      `${file} was written by an older claude-batch (its format is ${JSON.stringify(found.version)}); collect the batch with that version, or ${givingUp}`,
    )
  }
  if ('damagedLine' in found)
    throw new RunError('io', `${file} is damaged in line ${found.damagedLine}; restore it, or ${givingUp}`)
  return found
}

const givingUp = 'delete the file to give the batch up: its documents are then sent, and paid for, again'

type SealedFile = BatchFile & { readonly packed: number }

function isSealed(file: BatchFile): file is SealedFile {
  return file.packed !== undefined
}

/** A batch as its file describes it. */
export type KnownBatch = Pick<StoredBatch, 'intent' | 'endpoint' | 'packed' | 'documents' | 'id'>

function unsettled({ documents, settled }: SealedFile): SealedFile['documents'] {
  return settled.size === 0 ? documents : new Map([...documents].filter(([name]) => !settled.has(name)))
}

function knownFrom({ batch: intent, endpoint, packed, documents, id }: SealedFile): KnownBatch {
  return { intent, endpoint, packed, documents, id }
}

function stored(
  folder: string,
  batch: SealedFile,
  recorded: ReadonlyMap<string, ReadonlySet<string>>,
  { out, clock }: BatchStoreOptions,
): StoredBatch {
  const { batch: intent, documents } = batch
  const settled = new Set([...batch.settled].map((name) => documents.get(name)?.path))
  const add = async (line: string) => {
    const file = await openAppendFile(join(folder, `${intent}.jsonl`), { synced: true, root: out })
    try {
      await file.append(line)
    } finally {
      await file.close()
    }
  }
  let { id } = batch
  return {
    ...knownFrom(batch),
    get id() {
      return id
    },
    body: () => bodyIn(out, join(folder, `${intent}.body`)),
    entries: () => entriesIn(out, join(folder, `${intent}.body`)),
    async made(given) {
      id = given
      await add(createdLine(given, clock.wall()))
      await removeFile(out, join(folder, `${intent}.body`)).catch(() => {})
    },
    isSettled: (path) => settled.has(path) || (id !== undefined && recorded.get(id)?.has(path) === true),
    async settle(names) {
      for (const name of names) settled.add(documents.get(name)?.path)
      await add(settledLine(names))
    },
    forget: () => forgetBatch(out, intent),
  }
}

async function* bodyIn(out: string, file: string): AsyncGenerator<Uint8Array> {
  const handle = await openToRead(out, file).catch((error: NodeJS.ErrnoException) => {
    throw cannotRead(file, error)
  })
  if (handle === undefined) throw new RunError('io', `cannot read ${file}: there is no such file`)
  yield* handle.createReadStream({ highWaterMark: 256 * 1024 })
}

/** Each is on a line of its own, with the comma that separates it from the one before it. */
async function* entriesIn(out: string, file: string): AsyncGenerator<string> {
  for await (const lines of readLines(file, out))
    for (const line of lines) {
      const entry = line.startsWith(',') ? line.slice(1) : line
      if (entry !== begin && entry !== end && entry !== '') yield entry
    }
}

async function packing(
  folder: string,
  recorded: ReadonlyMap<string, ReadonlySet<string>>,
  options: BatchStoreOptions,
): Promise<Packing> {
  const { out, here, endpoint, clock } = options
  const intent = randomBytes(8).toString('hex')
  await makeFolderBelow(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(folder, error)
  })
  const lines = await openAppendFile(join(folder, `${intent}.jsonl`), { mode: 0o600, root: out })
  const body = await openAppendFile(join(folder, `${intent}.body`), { mode: 0o600, root: out }).catch(
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
  const linesOf = createDocumentLines()
  await write(lines, headLine({ batch: intent, endpoint, base: here }))
  await write(body, begin)
  return {
    intent,
    get load() {
      return { requests: documents.size, bytes: bytes + end.length }
    },
    async add(id, document, entry) {
      const separator = documents.size === 0 ? '' : ','
      documents.set(id, document)
      await Promise.all([write(lines, linesOf(id, document).join('\n')), write(body, `${separator}${entry}`)])
    },
    async seal() {
      const packed = clock.wall()
      await write(body, end)
      await body.sync()
      await write(lines, sealedLine(packed))
      await lines.sync()
      await close()
      await syncFolder(folder)
      const file = {
        batch: intent,
        endpoint,
        base: here,
        packed,
        documents,
        id: undefined,
        settled: new Set<string>(),
      }
      return stored(folder, file, recorded, options)
    },
    async discard() {
      await close()
      await forgetBatch(out, intent)
    },
  }
}

const begin = '{"requests":['
const end = ']}'
