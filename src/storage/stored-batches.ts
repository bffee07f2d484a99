import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { BatchItem } from '../core/batch/batch.ts'
import {
  type BatchFile,
  batchFileVersion,
  createItemFormatter,
  formatCreatedLine,
  formatHeaderLine,
  formatSealedLine,
  formatSettledLine,
} from '../core/batch/batch-file.ts'
import type { BatchBuilder, BatchStore, StoredBatch } from '../core/batch/batch-store.ts'
import { createBatchFileReader } from '../core/batch/read-batch-file.ts'
import { rebasePath } from '../core/document/document-path.ts'
import { stateFolder } from '../core/document/output-path.ts'
import type { Clock } from '../core/run/clock.ts'
import type { DocumentEntry } from '../core/run/ledger-entry.ts'
import { ExitError } from '../errors.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { makeFolderBelow, syncFolder } from './fs/create-folder.ts'
import { toReadError, toWriteError } from './fs/disk-error.ts'
import { listFolder, openForReading, removeFile } from './fs/no-follow-fs.ts'
import { readLines } from './fs/read-lines.ts'
import { otherVersionError } from './ledger/reduce-ledger.ts'

export interface BatchStoreOptions {
  /** The output folder. */
  readonly out: string
  /** The working directory, as seen from it. */
  readonly cwdFromOut: string
  /** Of the service that will be asked. */
  readonly baseUrl: string
  readonly clock: Pick<Clock, 'wallTime'>
}

/** What an output folder remembers of batches, with what the ledger tells about them. */
export interface StoredBatches extends BatchStore {
  /** To be shown all lines of the ledger, with their paths relative to the working directory, before anything else is asked. */
  observe(line: DocumentEntry, path: string): void
}

/**
 * Opens the batches of an output folder. Each has a file, `batches/<name>.jsonl`, from before it is sent until all of it
 * is collected; next to that, until the API has it, is the body that is sent. What was packed and not sealed was never
 * sent. For the holder of the folder's lock alone.
 * @throws RunError `ioError`, also where a file is damaged; `usage` where another version wrote one
 */
export async function openStoredBatches(options: BatchStoreOptions): Promise<StoredBatches> {
  const folder = batchesFolder(options.out)
  const names = await listBatchFiles(options.out)
  for (const name of names) {
    const [localId = '', extension] = name.split('.')
    if (extension === 'body' && !names.includes(`${localId}.jsonl`))
      await deleteBatchFiles(options.out, localId)
  }
  const recordedPaths = new Map<string, Set<string>>()
  const storedBatches: StoredBatch[] = []
  for await (const file of readBatchFiles(folder, names, options)) {
    if (!isSealedBatch(file)) await deleteBatchFiles(options.out, file.localId)
    else storedBatches.push(createStoredBatch(folder, file, recordedPaths, options))
  }
  for (const { id } of storedBatches) if (id !== undefined) recordedPaths.set(id, new Set())
  return {
    openBatches: storedBatches.sort((a, b) => a.sealedAt - b.sealedAt),
    observe({ batch_id: batch }, path) {
      if (batch !== undefined) recordedPaths.get(batch)?.add(path)
    },
    createBuilder: () => createBatchBuilder(folder, recordedPaths, options),
  }
}

/** Reads the batches of an output folder and changes nothing, the oldest first. @throws RunError as above */
export async function listStoredBatches(
  options: Pick<BatchStoreOptions, 'out' | 'cwdFromOut'>,
): Promise<readonly StoredBatchInfo[]> {
  const folder = batchesFolder(options.out)
  const batches: StoredBatchInfo[] = []
  for await (const file of readBatchFiles(folder, await listBatchFiles(options.out), options))
    if (isSealedBatch(file)) batches.push(describeBatch({ ...file, items: listUnsettled(file) }))
  return batches.sort((a, b) => a.sealedAt - b.sealedAt)
}

/** Gives a batch up. @throws RunError `ioError` */
export async function deleteBatchFiles(out: string, localId: string): Promise<void> {
  // The other way round, a crash between the two would leave a body that belongs to nothing.
  for (const name of [`${localId}.body`, `${localId}.jsonl`]) {
    const file = join(batchesFolder(out), name)
    await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(file, error)
    })
  }
}

function batchesFolder(out: string): string {
  return join(out, stateFolder, 'batches')
}

async function listBatchFiles(out: string): Promise<string[]> {
  const folder = batchesFolder(out)
  const names = await listFolder(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(folder, error)
  })
  return names.filter((name) => /^[0-9a-f]{16}\.(jsonl|body)$/.test(name))
}

async function* readBatchFiles(
  folder: string,
  names: readonly string[],
  options: Pick<BatchStoreOptions, 'out' | 'cwdFromOut'>,
): AsyncGenerator<BatchFile> {
  for (const name of names) {
    const [localId = '', extension] = name.split('.')
    if (extension === 'jsonl') yield readBatchFile(folder, localId, options)
  }
}

async function readBatchFile(
  folder: string,
  localId: string,
  { out, cwdFromOut }: Pick<BatchStoreOptions, 'out' | 'cwdFromOut'>,
): Promise<BatchFile> {
  const file = join(folder, `${localId}.jsonl`)
  const reader = createBatchFileReader((base, path) => rebasePath(out, cwdFromOut, base, path))
  for await (const lines of readLines(file, out)) for (const line of lines) reader.readLine(line)
  const found = reader.finish(localId)
  if ('version' in found) {
    if (Number(found.version) > batchFileVersion)
      throw otherVersionError(file, Number(found.version), batchFileVersion)
    throw new ExitError(
      'usage',
      `${file} was written by an older claude-batch (its format is ${JSON.stringify(found.version)}); collect the batch with that version, or ${giveUpHint}`,
    )
  }
  if ('damagedLine' in found)
    throw new ExitError(
      'ioError',
      `${file} is damaged in line ${found.damagedLine}; restore it, or ${giveUpHint}`,
    )
  return found
}

const giveUpHint = 'delete the file to give the batch up: its documents are then sent, and paid for, again'

type SealedBatchFile = BatchFile & { readonly sealedAt: number }

function isSealedBatch(file: BatchFile): file is SealedBatchFile {
  return file.sealedAt !== undefined
}

/** A batch as its file describes it. */
export type StoredBatchInfo = Pick<StoredBatch, 'localId' | 'endpoint' | 'sealedAt' | 'items' | 'id'>

function listUnsettled({ items, settledIds: settled }: SealedBatchFile): SealedBatchFile['items'] {
  return settled.size === 0 ? items : new Map([...items].filter(([name]) => !settled.has(name)))
}

function describeBatch({
  localId: intent,
  endpoint,
  sealedAt: packed,
  items,
  id,
}: SealedBatchFile): StoredBatchInfo {
  return { localId: intent, endpoint, sealedAt: packed, items, id }
}

function createStoredBatch(
  folder: string,
  batch: SealedBatchFile,
  recordedPaths: ReadonlyMap<string, ReadonlySet<string>>,
  { out, clock }: BatchStoreOptions,
): StoredBatch {
  const { localId: intent, items } = batch
  const settled = new Set([...batch.settledIds].map((name) => items.get(name)?.path))
  const appendLine = async (line: string) => {
    const file = await openAppendFile(join(folder, `${intent}.jsonl`), { durable: true, root: out })
    try {
      await file.append(line)
    } finally {
      await file.close()
    }
  }
  let { id } = batch
  return {
    ...describeBatch(batch),
    get id() {
      return id
    },
    readBody: () => streamBody(out, join(folder, `${intent}.body`)),
    readEntries: () => readRequests(out, join(folder, `${intent}.body`)),
    async markCreated(createdId) {
      id = createdId
      await appendLine(formatCreatedLine(createdId, clock.wallTime()))
      await removeFile(out, join(folder, `${intent}.body`)).catch(() => {})
    },
    isSettled: (path) => settled.has(path) || (id !== undefined && recordedPaths.get(id)?.has(path) === true),
    async markSettled(names) {
      for (const name of names) settled.add(items.get(name)?.path)
      await appendLine(formatSettledLine(names))
    },
    remove: () => deleteBatchFiles(out, intent),
  }
}

async function* streamBody(out: string, file: string): AsyncGenerator<Uint8Array> {
  const handle = await openForReading(out, file).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(file, error)
  })
  if (handle === undefined) throw new ExitError('ioError', `cannot read ${file}: there is no such file`)
  yield* handle.createReadStream({ highWaterMark: 256 * 1024 })
}

/** Each is on a line of its own, with the comma that separates it from the one before it. */
async function* readRequests(out: string, file: string): AsyncGenerator<string> {
  for await (const lines of readLines(file, out))
    for (const line of lines) {
      const entry = line.startsWith(',') ? line.slice(1) : line
      if (entry !== bodyStart && entry !== bodyEnd && entry !== '') yield entry
    }
}

async function createBatchBuilder(
  folder: string,
  recordedPaths: ReadonlyMap<string, ReadonlySet<string>>,
  options: BatchStoreOptions,
): Promise<BatchBuilder> {
  const { out, cwdFromOut, baseUrl: endpoint, clock } = options
  const intent = randomBytes(8).toString('hex')
  await makeFolderBelow(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(folder, error)
  })
  const lines = await openAppendFile(join(folder, `${intent}.jsonl`), { mode: 0o600, root: out })
  const body = await openAppendFile(join(folder, `${intent}.body`), { mode: 0o600, root: out }).catch(
    async (error: unknown) => {
      await lines.close()
      throw error
    },
  )
  const documents = new Map<string, BatchItem>()
  let bytes = 0
  const write = async (file: AppendFile, text: string) => {
    if (file === body) bytes += Buffer.byteLength(text) + 1
    await file.append(text)
  }
  const close = async () => {
    await lines.close()
    await body.close()
  }
  const formatDocument = createItemFormatter()
  await write(lines, formatHeaderLine({ localId: intent, endpoint, cwd: cwdFromOut }))
  await write(body, bodyStart)
  return {
    localId: intent,
    get size() {
      return { items: documents.size, bytes: bytes + bodyEnd.length }
    },
    async add(id, document, entry) {
      const separator = documents.size === 0 ? '' : ','
      documents.set(id, document)
      await Promise.all([
        write(lines, formatDocument(id, document).join('\n')),
        write(body, `${separator}${entry}`),
      ])
    },
    async seal() {
      const packed = clock.wallTime()
      await write(body, bodyEnd)
      await body.sync()
      await write(lines, formatSealedLine(packed))
      await lines.sync()
      await close()
      await syncFolder(folder)
      const file = {
        localId: intent,
        endpoint,
        cwd: cwdFromOut,
        sealedAt: packed,
        items: documents,
        id: undefined,
        settledIds: new Set<string>(),
      }
      return createStoredBatch(folder, file, recordedPaths, options)
    },
    async discard() {
      await close()
      await deleteBatchFiles(out, intent)
    },
  }
}

const bodyStart = '{"requests":['
const bodyEnd = ']}'
