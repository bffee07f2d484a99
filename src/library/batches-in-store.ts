import { randomBytes } from 'node:crypto'
import type { BatchItem } from '../core/batch/batch.ts'
import {
  type BatchFile,
  createItemFormatter,
  formatCreatedLine,
  formatHeaderLine,
  formatSealedLine,
  formatSettledLine,
} from '../core/batch/batch-file.ts'
import type { BatchBuilder, BatchStore, SealedBatch, StoredBatch } from '../core/batch/batch-store.ts'
import { createBatchFileReader } from '../core/batch/read-batch-file.ts'
import type { Clock } from '../core/run/clock.ts'
import { type CheckedStore, StoreError } from './store.ts'

export interface BatchesInStoreOptions {
  /** The base URL of the API that will get new batches. */
  readonly baseUrl: string
  readonly clock: Pick<Clock, 'wallTime'>
}

/** The key of the list of batches: their local ids, as JSON. */
const listKey = 'batches'
const toBatchKey = (localId: string) => `batch/${localId}`

/**
 * Opens the batches in a store. Each is one value, in the format of a batch file, from before it is sent until it is
 * collected. Its requests are kept only in memory: if the process ends before the API has the batch, the texts are
 * sent again by the next call that has them.
 * @throws StoreError also if a batch is damaged, or another version has written it
 */
export async function openBatchesInStore(
  store: CheckedStore,
  options: BatchesInStoreOptions,
): Promise<BatchStore> {
  const lines = new Map<string, string[]>()
  const openBatches: StoredBatch[] = []
  const context: BatchContext = {
    ...options,
    lines,
    async write(localId) {
      await store.set(toBatchKey(localId), (lines.get(localId) ?? []).join('\n'))
    },
    async writeList() {
      await store.set(listKey, JSON.stringify([...lines.keys()]))
    },
    async remove(localId) {
      await store.delete(toBatchKey(localId))
      lines.delete(localId)
      await context.writeList()
    },
  }
  for (const localId of parseList(await store.get(listKey))) {
    const text = await store.get(toBatchKey(localId))
    // The process ended before the batch was stored or after it was collected, or the user has removed it.
    if (text === undefined) continue
    lines.set(localId, text.split('\n'))
    openBatches.push(createStoredBatch(parseBatch(localId, text), context))
  }
  return {
    openBatches: openBatches.sort((a, b) => a.sealedAt - b.sealedAt),
    createBuilder: async () => createBuilder(context),
  }
}

interface BatchContext extends BatchesInStoreOptions {
  /** The lines of each batch, by local id. */
  readonly lines: Map<string, string[]>
  /** Stores the lines of a batch. */
  write(localId: string): Promise<void>
  /** Stores the list of batches. */
  writeList(): Promise<void>
  remove(localId: string): Promise<void>
}

function parseList(value = '[]'): string[] {
  const invalidError = () => new StoreError(`the value of ${listKey} in the store is not a list of batches`)
  let list: unknown
  try {
    list = JSON.parse(value)
  } catch {
    throw invalidError()
  }
  const isLocalId = (id: unknown) => typeof id === 'string' && /^[0-9a-f]{16}$/.test(id)
  if (!Array.isArray(list) || !list.every(isLocalId)) throw invalidError()
  return list as string[]
}

type SealedFile = BatchFile & { readonly sealedAt: number }

function parseBatch(localId: string, text: string): SealedFile {
  const reader = createBatchFileReader((_, path) => path)
  for (const line of text.split('\n')) reader.readLine(line)
  const file = reader.finish(localId)
  if ('version' in file)
    throw new StoreError(
      `another version of claude-batch stored ${toBatchKey(localId)}; collect it with that version`,
    )
  if ('damagedLine' in file || file.sealedAt === undefined)
    throw new StoreError(
      `the value of ${toBatchKey(localId)} in the store is damaged; its results may be lost if you delete it`,
    )
  return { ...file, sealedAt: file.sealedAt }
}

function createStoredBatch(
  { localId, endpoint, sealedAt, items, settledIds, ...file }: SealedFile,
  { lines, write, remove, clock }: BatchContext,
): StoredBatch {
  const settledPaths = new Set([...settledIds].map((customId) => items.get(customId)?.path))
  const appendLine = async (line: string) => {
    lines.get(localId)?.push(line)
    await write(localId)
  }
  let { id } = file
  return {
    localId,
    endpoint,
    sealedAt,
    items,
    get id() {
      return id
    },
    async markCreated(createdId) {
      id = createdId
      await appendLine(formatCreatedLine(createdId, clock.wallTime()))
    },
    isSettled: (path) => settledPaths.has(path),
    async markSettled(customIds) {
      for (const customId of customIds) settledPaths.add(items.get(customId)?.path)
      await appendLine(formatSettledLine(customIds))
    },
    remove: () => remove(localId),
  }
}

function createBuilder(context: BatchContext): BatchBuilder {
  const { lines, write, writeList, clock, baseUrl: endpoint } = context
  const localId = randomBytes(8).toString('hex')
  const header = { localId, endpoint, cwd: '' }
  const formatItem = createItemFormatter()
  const items = new Map<string, BatchItem>()
  const itemLines: string[] = []
  const entries: string[] = []
  let bytes = 0
  return {
    localId,
    get size() {
      return { items: items.size, bytes }
    },
    async add(id, item, entry) {
      items.set(id, item)
      itemLines.push(...formatItem(id, item))
      entries.push(entry)
      bytes += Buffer.byteLength(entry) + 1
    },
    async seal() {
      const sealedAt = clock.wallTime()
      lines.set(localId, [formatHeaderLine(header), ...itemLines, formatSealedLine(sealedAt)])
      // The list never lacks a batch, so that no value is left behind.
      await writeList()
      await write(localId)
      const file = { ...header, items, sealedAt, id: undefined, settledIds: new Set<string>() }
      const batch = createStoredBatch(file, context)
      return Object.assign(batch, {
        async *readBody() {
          yield Buffer.from('{"requests":[')
          for (const [n, entry] of entries.entries()) yield Buffer.from(n === 0 ? entry : `,${entry}`)
          yield Buffer.from(']}')
        },
        async *readEntries() {
          yield* entries
        },
      }) satisfies SealedBatch
    },
    discard: async () => {},
  }
}
