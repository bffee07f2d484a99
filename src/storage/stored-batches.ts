import type { BatchStore, StoredBatch } from '../core/batch/batch-store.ts'
import type { DocumentEntry } from '../core/run/ledger-entry.ts'
import { type BatchBuilderOptions, createBatchBuilder } from './batch-builder.ts'
import { deleteBatchFiles, listBatchFiles } from './batch-files.ts'
import { type ReadBatchOptions, readBatchFiles } from './read-batch-files.ts'
import {
  createStoredBatch,
  describeBatch,
  isSealedBatch,
  type SealedBatchFile,
  type StoredBatchInfo,
} from './stored-batch.ts'

/** The stored batches of an output folder. The ledger shows which of their documents are recorded. */
export interface StoredBatches extends BatchStore {
  /** Call this first, with each ledger entry and its path relative to the working directory. */
  observe(entry: DocumentEntry, path: string): void
}

/**
 * Opens the batches of an output folder and deletes those that were never sealed, because they were never
 * sent. Each batch has a file, `batches/<name>.jsonl`, from before it is sent until all its results are
 * collected. The request body is kept next to that file until the API has confirmed the batch. The caller
 * must hold the folder's lock.
 * @throws ExitError `ioError`, also if a file is damaged; `usage` if another version of claude-batch wrote a
 *   file
 */
export async function openStoredBatches(options: BatchBuilderOptions): Promise<StoredBatches> {
  const names = await listBatchFiles(options.out)
  for (const name of names) {
    const [localId = '', extension] = name.split('.')
    if (extension === 'body' && !names.includes(`${localId}.jsonl`))
      await deleteBatchFiles(options.out, localId)
  }
  const recordedPaths = new Map<string, Set<string>>()
  const storedBatches: StoredBatch[] = []
  for await (const file of readBatchFiles(names, options)) {
    if (!isSealedBatch(file)) await deleteBatchFiles(options.out, file.localId)
    else storedBatches.push(createStoredBatch(file, recordedPaths, options))
  }
  for (const { id } of storedBatches) if (id !== undefined) recordedPaths.set(id, new Set())
  return {
    openBatches: storedBatches.sort((a, b) => a.sealedAt - b.sealedAt),
    observe({ batch_id }, path) {
      if (batch_id !== undefined) recordedPaths.get(batch_id)?.add(path)
    },
    createBuilder: () => createBatchBuilder(recordedPaths, options),
  }
}

/**
 * Reads the batches of an output folder, oldest first. Changes no files.
 * @throws ExitError like {@link openStoredBatches}
 */
export async function listStoredBatches(options: ReadBatchOptions): Promise<readonly StoredBatchInfo[]> {
  const batches: StoredBatchInfo[] = []
  for await (const file of readBatchFiles(await listBatchFiles(options.out), options))
    if (isSealedBatch(file)) batches.push(describeBatch({ ...file, items: listUnsettled(file) }))
  return batches.sort((a, b) => a.sealedAt - b.sealedAt)
}

function listUnsettled({ items, settledIds }: SealedBatchFile): SealedBatchFile['items'] {
  return settledIds.size === 0 ? items : new Map([...items].filter(([customId]) => !settledIds.has(customId)))
}
