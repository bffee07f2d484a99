import { join } from 'node:path'
import { errorRecordSuffix, stripSummarySuffix } from '../core/document/output-path.ts'
import { toReadError, toWriteError } from './fs/disk-error.ts'
import { openForReading, removeFile, statFile } from './fs/no-follow-fs.ts'
import { lstatIfPresent } from './fs/symlinks.ts'

const recordPrefix = 'ERROR: '

/**
 * Returns what an error record's path holds: `none`, an error `record`, or an `other` file, which belongs to
 * the user.
 * @param file absolute path of the error record
 * @throws ExitError `ioError`
 */
export async function inspectErrorRecord(out: string, file: string): Promise<'none' | 'record' | 'other'> {
  // Nearly all documents have no record. So its folders are checked for links only if there is a file.
  if (lstatIfPresent(file) === undefined) return 'none'
  const stats = statFile(out, file)
  if (stats === undefined) return 'none'
  if (!stats.isFile()) return 'other'
  try {
    const handle = await openForReading(out, file)
    if (handle === undefined) return 'none'
    try {
      const start = Buffer.alloc(recordPrefix.length)
      await handle.read(start, 0, start.length, 0)
      return start.toString('latin1') === recordPrefix ? 'record' : 'other'
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw toReadError(file, error as NodeJS.ErrnoException)
  }
}

/**
 * Removes the error record of a document that now has a summary, if there is a record.
 * @param summary path of the summary, relative to the output folder
 * @throws ExitError `ioError`
 */
export async function removeErrorRecord(out: string, summary: string): Promise<void> {
  const file = join(out, (stripSummarySuffix(summary) ?? summary) + errorRecordSuffix)
  if ((await inspectErrorRecord(out, file)) !== 'record') return
  await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(file, error)
  })
}
