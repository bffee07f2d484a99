import { join } from 'node:path'
import { addObservation, type TokenHistory } from '../core/estimate/estimate-cost.ts'
import {
  ledgerFormatVersion,
  type OutputFile,
  type RunEnd,
  type RunStart,
  type UnchangedEntry,
} from '../core/run/ledger-entry.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { createDocumentPersister } from './document-persister.ts'
import { openAppendFile } from './fs/append-file.ts'
import { hashFile } from './fs/file-hash.ts'
import { compactLedger } from './ledger/compact-ledger.ts'
import { type JournalEntry, openJournal, toEntryId } from './ledger/journal.ts'
import type { UnplacedText } from './ledger/journal-recovery.ts'
import { applyUnchanged, type KnownSummary, locateSummary } from './ledger/known-summary.ts'
import { backUpDamaged, readJournal } from './ledger/read-journal.ts'
import { type Ledger, type OnDocumentEntry, readLedger } from './ledger/read-ledger.ts'
import { compareRecordedEntries, type RecordedEntries } from './ledger/recorded-entries.ts'
import { createRunRecorder } from './ledger/run-recorder.ts'
import { canLearnFrom } from './ledger/simulated-entry.ts'
import { journalPath, ledgerPath } from './output-folder.ts'
import { createOutputWriter, type OutputWriter } from './output-writer.ts'
import { recoverLeftovers } from './recover-leftovers.ts'

/**
 * The state of an output folder, and the functions that change it. The caller must hold the folder's lock.
 */
export interface OutputState extends Pick<Ledger, 'summaries' | 'unfinishedPaths' | 'failures' | 'damaged'> {
  readonly costHistory: TokenHistory
  /**
   * The last run end in the ledger; undefined if the last run was simulated and this one is not. Runs that were killed
   * or recorded no entry have none.
   */
  readonly lastEnd: RunEnd | undefined
  /** How many documents of a killed run were recovered from the journal. */
  readonly recoveredCount: number
  /** Recovered texts that were not put in place because another file is there. The user has to decide. */
  readonly unplacedTexts: readonly UnplacedText[]
  /** How many lines of the journal could not be read; a copy of the journal is kept next to it. */
  readonly damagedJournalLines: number
  /**
   * Writes an entry to the journal, so that it survives a crash. Resolves with a function that writes the
   * entry's file and records it in the ledger. Both steps throw the same errors.
   * @throws JournaledError if the next run will finish the entry; ExitError `ioError` if the text is lost:
   *   then the ledger gets at least the cost, if it can be written
   */
  persist(entry: JournalEntry): Promise<() => Promise<void>>
  /**
   * Replaces the file of a summary, for a change that needs no reply. Call `syncFolders` before the change is
   * recorded with `confirmUnchanged`.
   * @param file relative to the output folder
   * @throws ExitError `ioError`
   */
  rewriteSummary(file: string, text: string, known: Pick<KnownSummary, 'sha256'>): Promise<OutputFile>
  /** Syncs the folders of all files that were written so far. */
  syncFolders: OutputWriter['syncFolders']
  /** Records that a document was found unchanged, or changed back. @throws ExitError `ioError` */
  confirmUnchanged(entry: UnchangedEntry): Promise<void>
  /**
   * Removes the summary of a document that was moved, unless it was edited by hand, and records that.
   * @param path of the document before
   * @param newFile the summary of the document now, which is never removed; relative to the output folder
   * @param at ISO 8601
   * @throws ExitError `ioError`
   */
  removeMoved(path: string, newFile: string, at: string): Promise<void>
  /** Records how the run ended, if it recorded any entry. @throws ExitError `ioError` */
  recordEnd(end: RunEnd): Promise<void>
  close(): Promise<void>
}

export interface OutputStateOptions {
  /**
   * Called with each document entry of the ledger, its path relative to the working directory, and its run.
   */
  readonly onEntry?: OnDocumentEntry
  /** The costs of chunks in killed runs. `onEntry` must call its `observe` with the ledger's entries. */
  readonly chunkCosts?: Pick<ChunkCosts, 'observe' | 'listMissing' | 'clear' | 'finish'>
}

/**
 * Opens the state of an output folder: reads ledger and journal, and finishes what a killed run left.
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger or the journal; `ioError`
 */
export async function openOutputState(
  out: string,
  run: RunStart,
  { onEntry = () => {}, chunkCosts = noChunkCosts }: OutputStateOptions = {},
): Promise<OutputState> {
  const journalFile = journalPath(out)
  const found = await readState(out, journalFile, run, onEntry, chunkCosts)
  const { ledger, costHistory } = found
  const ledgerFile = await openAppendFile(ledgerPath(out), { mode: 0o600, root: out })
  try {
    const writer = createOutputWriter(out, run.run_id)
    const recovery = await recoverLeftovers({ out, run, ledgerFile, writer, chunkCosts, onEntry, ...found })
    const damagedJournalLines = found.damagedLines + recovery.misnamedCount
    if (damagedJournalLines > 0) await backUpDamaged(journalFile)
    const journal = await openJournal(journalFile, async () => {
      await writer.syncFolders()
      await ledgerFile.sync()
    })
    const recorder = createRunRecorder(ledgerFile, run)
    return {
      summaries: ledger.summaries,
      unfinishedPaths: ledger.unfinishedPaths,
      failures: ledger.failures,
      damaged: ledger.damaged,
      costHistory,
      lastEnd: canLearnFrom(ledger.lastRun, { isSimulated: run.simulated ?? false })
        ? ledger.lastEnd
        : undefined,
      recoveredCount: recovery.placedCount,
      unplacedTexts: recovery.unplacedTexts,
      damagedJournalLines,
      persist: createDocumentPersister({
        journal,
        readEntries: async () => (await readJournal(journalFile)).entries,
        writer,
        // The next run assumes that an entry without a run belongs to the last run in the ledger.
        addRun: (entry) => (recorder.isStarted() ? entry : { ...entry, run }),
        async recordDocument(entry) {
          await recorder.record(entry)
          chunkCosts.observe(entry, run)
        },
      }),
      async rewriteSummary(path, text, { sha256 }) {
        const { output } = await writer.write({ path, text, entry: { sha256 } })
        if (output === undefined) throw new Error(`no file was written for ${path}`)
        return output
      },
      syncFolders: writer.syncFolders,
      async confirmUnchanged(entry) {
        const known = ledger.summaries.get(entry.path)
        if (known !== undefined && !known.isMisnamed)
          await writer.removeErrorRecord(locateSummary(entry.path, known))
        await recorder.record(entry)
        applyUnchanged(ledger.summaries, entry.path, entry)
      },
      async removeMoved(path, newFile, at) {
        const known = ledger.summaries.get(path)
        if (known === undefined || known.isMisnamed) return
        const file = locateSummary(path, known)
        if (file !== newFile) {
          const found = await hashFile(out, join(out, file))
          if (found !== undefined && found !== known.output.sha256) return
          await writer.removeSummary(file)
        }
        ledger.summaries.delete(path)
        await recorder.record({ type: 'pruned', format_version: ledgerFormatVersion, path, at })
      },
      recordEnd: recorder.recordEnd,
      async close() {
        try {
          await journal.close()
          await chunkCosts.finish()
        } finally {
          await ledgerFile.close()
        }
      },
    }
  } catch (error) {
    await ledgerFile.close().catch(() => {})
    throw error
  }
}

const noChunkCosts: NonNullable<OutputStateOptions['chunkCosts']> = {
  observe() {},
  listMissing: () => [],
  async clear() {},
  async finish() {},
}

/** The state that earlier runs left on disk. */
interface FoundState {
  readonly ledger: Ledger
  readonly costHistory: TokenHistory
  readonly journalEntries: readonly JournalEntry[]
  readonly recorded: RecordedEntries
  /** How many lines of the journal could not be read. */
  readonly damagedLines: number
}

/** Reads journal and ledger, and compacts the ledger if most of it is superseded or a line is damaged. */
async function readState(
  out: string,
  journalFile: string,
  run: RunStart,
  onEntry: OnDocumentEntry,
  chunkCosts: Pick<ChunkCosts, 'listMissing' | 'clear'>,
): Promise<FoundState> {
  const file = ledgerPath(out)
  const { entries, damagedLines } = await readJournal(journalFile)
  const journalEntries = [
    ...new Map(entries.map((journaled) => [toEntryId(journaled.entry), journaled])).values(),
  ]
  const recorded = compareRecordedEntries(journalEntries)
  const costHistory: TokenHistory = new Map()
  const kind = { isSimulated: run.simulated ?? false }
  const ledger = await readLedger(file, run.cwd, (entry, path, by) => {
    recorded.observe(entry, path)
    if (canLearnFrom(by, kind)) addObservation(costHistory, entry)
    onEntry(entry, path, by)
  })
  // The ledger's entries, including superseded ones, show which journal entries and chunk costs are recorded.
  // So the ledger is compacted only when nothing is left to compare.
  const isLedgerComplete = journalEntries.length === 0 && chunkCosts.listMissing().length === 0
  if (isLedgerComplete && (needsCompaction(ledger) || ledger.unattributedLines > 0)) {
    await chunkCosts.clear()
    await compactLedger(file, run.cwd, ledger.unattributedLines > 0)
  }
  return { ledger, costHistory, journalEntries, recorded, damagedLines }
}

/**
 * Whether compaction is worthwhile: rewriting takes about as long as reading, so most lines must be
 * superseded.
 */
function needsCompaction({ lineCount, liveLineCount }: Ledger): boolean {
  const supersededCount = lineCount - liveLineCount
  return supersededCount > liveLineCount && supersededCount > 1000
}
