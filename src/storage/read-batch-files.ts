import { join } from 'node:path'
import { type BatchFile, batchFileVersion } from '../core/batch/batch-file.ts'
import { createBatchFileReader } from '../core/batch/read-batch-file.ts'
import { rebasePath } from '../core/document/document-path.ts'
import { ExitError } from '../errors.ts'
import { batchesFolder } from './batch-files.ts'
import { readLines } from './fs/read-lines.ts'
import { otherVersionError } from './ledger/reduce-ledger.ts'

export interface ReadBatchOptions {
  /** The output folder. */
  readonly out: string
  /** The working directory, relative to the output folder. */
  readonly cwdFromOut: string
}

/**
 * Reads the batches with these file names, one after the other.
 * @throws ExitError `ioError`, also if a file is damaged; `usage` if another version of claude-batch wrote a
 *   file
 */
export async function* readBatchFiles(
  names: readonly string[],
  options: ReadBatchOptions,
): AsyncGenerator<BatchFile> {
  for (const name of names) {
    const [localId = '', extension] = name.split('.')
    if (extension === 'jsonl') yield readBatchFile(localId, options)
  }
}

async function readBatchFile(localId: string, { out, cwdFromOut }: ReadBatchOptions): Promise<BatchFile> {
  const file = join(batchesFolder(out), `${localId}.jsonl`)
  const reader = createBatchFileReader((base, path) => rebasePath(out, cwdFromOut, base, path))
  for await (const lines of readLines(file, out)) for (const line of lines) reader.readLine(line)
  const found = reader.finish(localId)
  if ('version' in found) {
    if (Number(found.version) > batchFileVersion)
      throw otherVersionError(file, Number(found.version), batchFileVersion)
    throw new ExitError(
      'usage',
      `${file} was written by an older claude-batch (format ${JSON.stringify(found.version)}); collect the batch with that version, or ${giveUpHint}`,
    )
  }
  if ('damagedLine' in found)
    throw new ExitError(
      'ioError',
      `${file} is damaged in line ${found.damagedLine}; restore the file, or ${giveUpHint}`,
    )
  return found
}

const giveUpHint = 'delete the file to give the batch up: its documents are then sent, and paid for, again'
