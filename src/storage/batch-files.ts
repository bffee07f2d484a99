import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { toReadError, toWriteError } from './fs/disk-error.ts'
import { listFolder, removeFile } from './fs/no-follow-fs.ts'

/** Returns where an output folder keeps its batches. */
export function batchesFolder(out: string): string {
  return join(out, stateFolder, 'batches')
}

/** Returns the names of all files of batches in an output folder. @throws ExitError `ioError` */
export async function listBatchFiles(out: string): Promise<string[]> {
  const folder = batchesFolder(out)
  const names = await listFolder(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(folder, error)
  })
  return names.filter((name) => /^[0-9a-f]{16}\.(jsonl|body)$/.test(name))
}

/** Gives a batch up. @throws ExitError `ioError` */
export async function deleteBatchFiles(out: string, localId: string): Promise<void> {
  // The other way round, a crash between the two would leave a body that belongs to nothing.
  for (const name of [`${localId}.body`, `${localId}.jsonl`]) {
    const file = join(batchesFolder(out), name)
    await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(file, error)
    })
  }
}
