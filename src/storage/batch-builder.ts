import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { BatchItem } from '../core/batch/batch.ts'
import { createItemFormatter, formatHeaderLine, formatSealedLine } from '../core/batch/batch-file.ts'
import type { BatchBuilder } from '../core/batch/batch-store.ts'
import { bodyEnd, bodyStart } from './batch-body-file.ts'
import { batchesFolder, deleteBatchFiles } from './batch-files.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { makeFolderBelow, syncFolders } from './fs/create-folder.ts'
import { toWriteError } from './fs/disk-error.ts'
import { createStoredBatch, type StoredBatchOptions } from './stored-batch.ts'

export interface BatchBuilderOptions extends StoredBatchOptions {
  /** The working directory, relative to the output folder. */
  readonly cwdFromOut: string
  /** The base URL of the API that will get the batch. */
  readonly baseUrl: string
}

/**
 * Creates the files of a new batch: its description and its request body.
 * @param recordedPaths see {@link createStoredBatch}
 * @throws ExitError `ioError`
 */
export async function createBatchBuilder(
  recordedPaths: ReadonlyMap<string, ReadonlySet<string>>,
  options: BatchBuilderOptions,
): Promise<BatchBuilder> {
  const { out, cwdFromOut, baseUrl, clock } = options
  const folder = batchesFolder(out)
  const localId = randomBytes(8).toString('hex')
  await makeFolderBelow(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(folder, error)
  })
  const lines = await openAppendFile(join(folder, `${localId}.jsonl`), { mode: 0o600, root: out })
  const body = await openAppendFile(join(folder, `${localId}.body`), { mode: 0o600, root: out }).catch(
    async (error: unknown) => {
      await lines.close()
      throw error
    },
  )
  const items = new Map<string, BatchItem>()
  let bytes = 0
  const write = async (file: AppendFile, text: string) => {
    if (file === body) bytes += Buffer.byteLength(text) + 1
    await file.append(text)
  }
  const close = async () => {
    await lines.close()
    await body.close()
  }
  const formatItem = createItemFormatter()
  await write(lines, formatHeaderLine({ localId, endpoint: baseUrl, cwd: cwdFromOut }))
  await write(body, bodyStart)
  return {
    localId,
    get size() {
      return { items: items.size, bytes: bytes + bodyEnd.length }
    },
    async add(id, item, entry) {
      const separator = items.size === 0 ? '' : ','
      items.set(id, item)
      await Promise.all([write(lines, formatItem(id, item).join('\n')), write(body, `${separator}${entry}`)])
    },
    async seal() {
      const sealedAt = clock.wallTime()
      await write(body, bodyEnd)
      await body.sync()
      // Later lines can survive a power failure without earlier ones.
      await lines.sync()
      await write(lines, formatSealedLine(sealedAt))
      await lines.sync()
      await close()
      // The folder may be new.
      await syncFolders(out, [folder])
      const file = {
        localId,
        endpoint: baseUrl,
        cwd: cwdFromOut,
        sealedAt,
        items,
        id: undefined,
        settledIds: new Set<string>(),
      }
      return createStoredBatch(file, recordedPaths, options)
    },
    async discard() {
      await close()
      await deleteBatchFiles(out, localId)
    },
  }
}
