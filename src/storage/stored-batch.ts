import { join } from 'node:path'
import { type BatchFile, formatCreatedLine, formatSettledLine } from '../core/batch/batch-file.ts'
import type { SealedBatch, StoredBatch } from '../core/batch/batch-store.ts'
import type { Clock } from '../core/run/clock.ts'
import { readBodyEntries, streamBatchBody } from './batch-body-file.ts'
import { batchesFolder, deleteBatchFiles } from './batch-files.ts'
import { openAppendFile } from './fs/append-file.ts'
import { removeFile } from './fs/no-follow-fs.ts'

export interface StoredBatchOptions {
  /** The output folder. */
  readonly out: string
  readonly clock: Pick<Clock, 'wallTime'>
}

/** A complete batch, which may have been sent. */
export type SealedBatchFile = BatchFile & { readonly sealedAt: number }

/** Whether a batch is complete. An incomplete batch was never sent. */
export function isSealedBatch(file: BatchFile): file is SealedBatchFile {
  return file.sealedAt !== undefined
}

/**
 * Creates a batch whose state is saved in its file.
 * @param recordedPaths the documents that the ledger has, by batch id
 */
export function createStoredBatch(
  batch: SealedBatchFile,
  recordedPaths: ReadonlyMap<string, ReadonlySet<string>>,
  { out, clock }: StoredBatchOptions,
): SealedBatch {
  const { localId, items } = batch
  const folder = batchesFolder(out)
  const bodyFile = join(folder, `${localId}.body`)
  const settledPaths = new Set([...batch.settledIds].map((customId) => items.get(customId)?.path))
  const appendLine = async (line: string) => {
    const file = await openAppendFile(join(folder, `${localId}.jsonl`), { durable: true, root: out })
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
    readBody: () => streamBatchBody(out, bodyFile),
    readEntries: () => readBodyEntries(out, bodyFile),
    async markCreated(createdId) {
      id = createdId
      await appendLine(formatCreatedLine(createdId, clock.wallTime()))
      await removeFile(out, bodyFile).catch(() => {})
    },
    isSettled: (path) =>
      settledPaths.has(path) || (id !== undefined && recordedPaths.get(id)?.has(path) === true),
    async markSettled(customIds) {
      for (const customId of customIds) settledPaths.add(items.get(customId)?.path)
      await appendLine(formatSettledLine(customIds))
    },
    remove: () => deleteBatchFiles(out, localId),
  }
}

/** The data of a stored batch, without the functions that change it. */
export type StoredBatchInfo = Pick<StoredBatch, 'localId' | 'endpoint' | 'sealedAt' | 'items' | 'id'>

/** Returns the data of a stored batch. */
export function describeBatch({ localId, endpoint, sealedAt, items, id }: SealedBatchFile): StoredBatchInfo {
  return { localId, endpoint, sealedAt, items, id }
}
