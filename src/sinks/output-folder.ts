import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError, UsageError } from '../errors.ts'
import { makeFolder } from './directories.ts'
import { cannotWrite } from './disk-error.ts'
import { writeWhole } from './whole-file.ts'

/** Where an output folder keeps what it remembers, beside the summaries. */
export const memoryFolder = '.claude-batch'

/** The ledger of an output folder. */
export function ledgerIn(out: string): string {
  return join(out, memoryFolder, 'ledger.jsonl')
}

/** Makes an output folder, with the place for what it remembers. @throws UsageError, RunError `io` */
export async function prepareFolder(out: string): Promise<void> {
  try {
    await makeFolder(join(out, memoryFolder))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new UsageError(`--out ${out}: a file of that name is in the way`)
    throw cannotWrite(out, error as NodeJS.ErrnoException)
  }
}

/**
 * Proves that an output folder can be written, before anything is paid for.
 * @param run in the names of temporary files
 * @returns whether it takes `A` and `a` for one name
 * @throws RunError `io`
 */
export async function probeFolder(out: string, run: string): Promise<boolean> {
  const marker = join(out, `.claude-batch-${run}-Probe.tmp`)
  try {
    await writeWhole(out, marker, '', `${run}-probe`)
    return await stat(marker.replace('-Probe', '-pROBE')).then(
      () => true,
      () => false,
    )
  } catch (error) {
    throw error instanceof RunError ? new RunError('io', error.message.replace(marker, `to ${out}`)) : error
  } finally {
    await rm(marker, { force: true }).catch(() => {})
  }
}
