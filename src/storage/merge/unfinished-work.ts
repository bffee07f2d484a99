import { join } from 'node:path'
import { computeCwdFromOut } from '../../core/document/document-path.ts'
import { chunkCostsPath } from '../chunk-costs.ts'
import { toReadError } from '../fs/disk-error.ts'
import { listFolder, statFile } from '../fs/no-follow-fs.ts'
import { recoveredFolder } from '../ledger/journal-recovery.ts'
import { readJournal } from '../ledger/read-journal.ts'
import { journalPath } from '../output-folder.ts'
import { listStoredBatches } from '../stored-batches.ts'
import { type FolderHistory, toLineId } from './folder-history.ts'

/** What an output folder has besides its ledger, and a merge leaves there. */
export interface UnfinishedWork {
  /** How many results of an interrupted run are only in the journal. */
  readonly journaledCount: number
  /** Whether the costs of chunks are not in the ledger yet. */
  readonly hasChunkCosts: boolean
  /** How many batches are not collected. */
  readonly batchCount: number
  /** How many texts were recovered whose place was taken. */
  readonly recoveredCount: number
}

/**
 * Finds the work that the runs of a folder have not finished. Changes nothing.
 * @param cwd the working directory; absolute
 * @throws ExitError `ioError`; `usage` if another version of claude-batch wrote a file
 */
export async function findUnfinishedWork(
  { out, lineIds, runs }: FolderHistory,
  cwd: string,
): Promise<UnfinishedWork> {
  const { entries, damagedLines } = await readJournal(journalPath(out))
  const isRecorded = ({ entry }: (typeof entries)[number]) =>
    [...runs.keys()].some((run) => lineIds.has(toLineId(run, entry)))
  const folder = join(out, recoveredFolder)
  const recovered = await listFolder(out, folder).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(folder, error)
  })
  const batches = await listStoredBatches({ out, cwdFromOut: computeCwdFromOut(out, cwd) })
  return {
    journaledCount: entries.filter((entry) => !isRecorded(entry)).length + damagedLines,
    hasChunkCosts: (statFile(out, chunkCostsPath(out))?.size ?? 0) > 0,
    batchCount: batches.length,
    recoveredCount: recovered.length,
  }
}
