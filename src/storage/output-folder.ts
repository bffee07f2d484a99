import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { describeForbiddenName } from '../core/document/windows-names.ts'
import { ExitError, UsageError } from '../errors.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { makeFolder, makeFolderBelow, syncFolder } from './fs/create-folder.ts'
import { toWriteError } from './fs/disk-error.ts'
import { removeFile, statFile } from './fs/no-follow-fs.ts'
import { isRootAllowed } from './fs/path-length.ts'

/** Returns the path of an output folder's ledger. */
export function ledgerPath(out: string): string {
  return join(out, stateFolder, 'ledger.jsonl')
}

/** Returns the path of an output folder's journal. */
export function journalPath(out: string): string {
  return join(out, stateFolder, 'journal.jsonl')
}

/**
 * Whether an output folder has a ledger. Does not check that it is a regular file.
 * @throws ExitError `ioError`
 */
export function hasLedger(out: string): boolean {
  return statFile(out, ledgerPath(out)) !== undefined
}

/** Whether a run has begun in an output folder, with or without a ledger. @throws ExitError `ioError` */
export function hasStateFolder(out: string): boolean {
  return statFile(out, join(out, stateFolder))?.isDirectory() ?? false
}

/** Creates an output folder and its state folder. @throws UsageError, ExitError `ioError` */
export async function createOutputFolder(out: string): Promise<void> {
  if (!isRootAllowed(out))
    throw new UsageError(
      `--out ${out}: its path is too long (${Buffer.byteLength(out)} bytes) for files in it; use a shorter one`,
    )
  const reason = describeForbiddenName(out)
  if (reason !== undefined) throw new UsageError(`--out ${out}: ${reason}`)
  try {
    await makeFolder(out)
    const isNew = statFile(out, join(out, stateFolder)) === undefined
    await makeFolderBelow(out, join(out, stateFolder))
    if (isNew) await syncFolder(out)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new UsageError(`--out ${out}: it is a file; name a folder, or - for stdout`)
    throw toWriteError(out, error as NodeJS.ErrnoException)
  }
}

/**
 * Checks that files can be written to an output folder, before any request is paid for.
 * @param run the run id, for the names of temporary files
 * @returns whether the file system ignores case in names
 * @throws ExitError `ioError`
 */
export async function probeOutputFolder(out: string, run: string): Promise<boolean> {
  const marker = join(out, `.claude-batch-${run}-Probe.tmp`)
  try {
    await writeFileAtomic(out, marker, '', `${run}-probe`)
    return statFile(out, marker.replace('-Probe', '-pROBE')) !== undefined
  } catch (error) {
    throw error instanceof ExitError
      ? new ExitError('ioError', error.message.replace(marker, `to ${out}`))
      : error
  } finally {
    await removeFile(out, marker).catch(() => {})
  }
}
