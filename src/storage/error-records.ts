import { join } from 'node:path'
import { recordSuffix, stemOf } from '../core/document/output-path.ts'
import { cannotRead, cannotWrite } from './fs/disk-error.ts'
import { openToRead, removeFile, statFile } from './fs/output-files.ts'

const beginning = 'ERROR: '

/**
 * What is in the place of an error record: nothing, a record, or anything else, which is the user's own.
 * @param file absolute
 * @throws RunError `io`
 */
export async function recordAt(out: string, file: string): Promise<'none' | 'record' | 'other'> {
  const stats = statFile(out, file)
  if (stats === undefined) return 'none'
  if (!stats.isFile()) return 'other'
  try {
    const handle = await openToRead(out, file)
    if (handle === undefined) return 'none'
    try {
      const start = Buffer.alloc(beginning.length)
      await handle.read(start, 0, start.length, 0)
      return start.toString('latin1') === beginning ? 'record' : 'other'
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw cannotRead(file, error as NodeJS.ErrnoException)
  }
}

/**
 * Removes the error record of a document that has a summary now, if it has one.
 * @param summary the file of the summary, below the output folder
 * @throws RunError `io`
 */
export async function removeRecord(out: string, summary: string): Promise<void> {
  const file = join(out, (stemOf(summary) ?? summary) + recordSuffix)
  if ((await recordAt(out, file)) !== 'record') return
  await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(file, error)
  })
}
