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

/** What an output folder remembers of batches, with what the ledger tells about them. */
export interface StoredBatches extends BatchStore {
  /**
   * To be shown all lines of the ledger, with their paths relative to the working directory, before anything
   * else is asked.
   */
  observe(entry: DocumentEntry, path: string): void
}

/**
 * Opens the batches of an output folder. Each has a file, `batches/<name>.jsonl`, from before it is sent
 * until all of it is collected; next to that, until the API has it, is the body that is sent. What was packed
 * and not sealed was never sent. For the holder of the folder's lock alone.
 * @throws ExitError `ioError`, also where a file is damaged; `usage` where another version wrote one
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

/** Reads the batches of an output folder and changes nothing, the oldest first. @throws RunError as above */
export async function listStoredBatches(options: ReadBatchOptions): Promise<readonly StoredBatchInfo[]> {
  const batches: StoredBatchInfo[] = []
  for await (const file of readBatchFiles(await listBatchFiles(options.out), options))
    if (isSealedBatch(file)) batches.push(describeBatch({ ...file, items: listUnsettled(file) }))
  return batches.sort((a, b) => a.sealedAt - b.sealedAt)
}

function listUnsettled({ items, settledIds }: SealedBatchFile): SealedBatchFile['items'] {
  return settledIds.size === 0 ? items : new Map([...items].filter(([customId]) => !settledIds.has(customId)))
}
