import { join } from 'node:path'
import { removeErrorRecord } from './error-record-file.ts'
import { toWriteError } from './fs/disk-error.ts'
import { removeFile } from './fs/no-follow-fs.ts'

/**
 * Removes a summary and the error record of its document.
 * @param summary path of the summary, relative to the output folder
 * @throws ExitError `ioError`
 */
export async function removeSummary(out: string, summary: string): Promise<void> {
  const file = join(out, summary)
  await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(file, error)
  })
  await removeErrorRecord(out, summary)
}
