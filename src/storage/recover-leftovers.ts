import { dirname, join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import type { DocumentEntry, RunStart } from '../core/run/ledger-entry.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import type { AppendFile } from './fs/append-file.ts'
import { isTempFile } from './fs/atomic-write.ts'
import { listFolder, removeFile } from './fs/no-follow-fs.ts'
import type { JournalEntry } from './ledger/journal.ts'
import { type JournalRecovery, recoveredFolder, recoverJournal } from './ledger/journal-recovery.ts'
import type { Ledger, OnDocumentEntry } from './ledger/read-ledger.ts'
import type { RecordedEntries } from './ledger/recorded-entries.ts'
import type { OutputWriter } from './output-writer.ts'

export interface LeftoverOptions {
  readonly out: string
  readonly run: RunStart
  readonly ledger: Ledger
  readonly ledgerFile: AppendFile
  readonly writer: OutputWriter
  readonly chunkCosts: Pick<ChunkCosts, 'listMissing' | 'clear'>
  readonly journalEntries: readonly JournalEntry[]
  readonly recorded: RecordedEntries
  readonly onEntry: OnDocumentEntry
}

/**
 * Recovers from earlier runs that were killed: finishes journal entries, records the costs of chunks, and
 * removes temporary files. Recovered results are recorded as results of the run that paid for them.
 * @throws ExitError `ioError`
 */
export async function recoverLeftovers(options: LeftoverOptions): Promise<JournalRecovery> {
  const { out, run, ledger, ledgerFile, writer, chunkCosts, journalEntries, recorded } = options
  /** The run whose entries follow in the ledger. */
  let currentRun = ledger.lastRun
  const appendRecovered = async (entry: RunStart | DocumentEntry) => {
    if (entry.type === 'run_start') currentRun = entry
    await ledgerFile.append(JSON.stringify(entry))
  }
  const recovery = await recoverJournal(journalEntries, {
    out,
    recorded,
    cwdFromOut: run.cwd,
    ledger,
    nonce: `${run.run_id}-recovered`,
    writeOutput: writer.write,
    removeErrorRecord: writer.removeErrorRecord,
    appendEntry: appendRecovered,
    onRecovered: options.onEntry,
  })
  const missingCosts = chunkCosts.listMissing()
  for (const { run, entry } of missingCosts) {
    if (run.run_id !== currentRun?.run_id) await appendRecovered(run)
    await appendRecovered(entry)
  }
  // If this run is killed before it clears the costs, the next run finds them in the ledger.
  if (missingCosts.length > 0 || journalEntries.length > 0) await ledgerFile.sync()
  await chunkCosts.clear()
  const files = journalEntries.flatMap(({ path }) => path ?? [])
  const folders = [stateFolder, recoveredFolder, ...files.map((file) => dirname(file))]
  await removeTempFiles(out, [out, ...folders.map((name) => join(out, name))])
  return recovery
}

/**
 * Removes the temporary files that killed runs left in some folders. The caller holds the lock, so no other process is
 * writing them.
 * @param folders absolute
 */
export async function removeTempFiles(out: string, folders: Iterable<string>): Promise<void> {
  for (const folder of new Set(folders)) {
    const names = await listFolder(out, folder).catch(() => [])
    for (const name of names.filter(isTempFile)) await removeFile(out, join(folder, name)).catch(() => {})
  }
}
