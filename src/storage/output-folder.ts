import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { ExitError, UsageError } from '../errors.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { makeFolder, makeFolderBelow } from './fs/create-folder.ts'
import { toWriteError } from './fs/disk-error.ts'
import { removeFile, statFile } from './fs/no-follow-fs.ts'
import { isRootAllowed } from './fs/path-length.ts'

/** The ledger of an output folder. */
export function ledgerPath(out: string): string {
  return join(out, stateFolder, 'ledger.jsonl')
}

/**
 * Whether something is in the place of an output folder's ledger; reading it finds out what.
 * @throws ExitError `ioError`
 */
export function hasLedger(out: string): boolean {
  return statFile(out, ledgerPath(out)) !== undefined
}

/** Makes an output folder, with its state folder. @throws UsageError, ExitError `ioError` */
export async function createOutputFolder(out: string): Promise<void> {
  if (!isRootAllowed(out))
    throw new UsageError(
      `--out ${out}: its path is too long (${Buffer.byteLength(out)} bytes) for files in it; use a shorter one`,
    )
  try {
    await makeFolder(out)
    await makeFolderBelow(out, join(out, stateFolder))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new UsageError(`--out ${out}: a file of that name is in the way`)
    throw toWriteError(out, error as NodeJS.ErrnoException)
  }
}

/**
 * Proves that an output folder can be written, before anything is paid for.
 * @param run in the names of temporary files
 * @returns whether it takes `A` and `a` for one name
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
