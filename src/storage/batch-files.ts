import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { toReadError, toWriteError } from './fs/disk-error.ts'
import { listFolder, removeFile } from './fs/no-follow-fs.ts'

/** Returns the path of the folder for batches in an output folder. */
export function batchesFolder(out: string): string {
  return join(out, stateFolder, 'batches')
}

/** Returns the names of all batch files in an output folder. @throws ExitError `ioError` */
export async function listBatchFiles(out: string): Promise<string[]> {
  const folder = batchesFolder(out)
  const names = await listFolder(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(folder, error)
  })
  return names.filter((name) => /^[0-9a-f]{16}\.(jsonl|body)$/.test(name))
}

/** Deletes the files of a batch. @throws ExitError `ioError` */
export async function deleteBatchFiles(out: string, localId: string): Promise<void> {
  // The body is deleted first, so that a crash between the two leaves no body without its batch.
  for (const name of [`${localId}.body`, `${localId}.jsonl`]) {
    const file = join(batchesFolder(out), name)
    await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(file, error)
    })
  }
}
