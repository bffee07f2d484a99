import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { addObservation, type TokenHistory } from '../core/estimate/estimate-cost.ts'
import type { RunEnd, RunStart, UnchangedEntry } from '../core/run/ledger-entry.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { createDocumentPersister } from './document-persister.ts'
import { removeErrorRecord } from './error-record-file.ts'
import { openAppendFile } from './fs/append-file.ts'
import { compactLedger } from './ledger/compact-ledger.ts'
import { type JournalEntry, openJournal, toEntryId } from './ledger/journal.ts'
import type { UnplacedText } from './ledger/journal-recovery.ts'
import { locateSummary } from './ledger/known-summary.ts'
import { backUpDamaged, readJournal } from './ledger/read-journal.ts'
import { type Ledger, type OnDocumentEntry, readLedger } from './ledger/read-ledger.ts'
import { createRunRecorder } from './ledger/run-recorder.ts'
import { ledgerPath } from './output-folder.ts'
import { createOutputWriter } from './output-writer.ts'
import { recoverLeftovers } from './recover-leftovers.ts'

/** What an output folder remembers, and how something new gets into it. For the holder of its lock alone. */
export interface OutputState
  extends Pick<Ledger, 'summaries' | 'unfinishedPaths' | 'failedPaths' | 'damaged'> {
  readonly costHistory: TokenHistory
  /** How the last run ended that did anything, and came to its end. */
  readonly lastEnd: RunEnd | undefined
  /** Documents that an earlier run had paid for and could not finish; now they are. */
  readonly recoveredCount: number
  /** Texts of such documents whose place is taken: reported, as a person has to choose. */
  readonly unplacedTexts: readonly UnplacedText[]
  /** How many lines of the journal could not be read; it is kept beside the new one. */
  readonly damagedJournalLines: number
  /**
   * Keeps what a finished document leaves, from now on against any crash. Resolves with what then puts it in
   * place and records it.
   * @throws JournaledError where the next run will finish it; ExitError `ioError` where it is lost, and the
   *   ledger tells at least what it cost, if that can be written; both
   */
  persist(entry: JournalEntry): Promise<() => Promise<void>>
  /** Records that a document is, or is again, the one that was summarized. @throws ExitError `ioError` */
  confirmUnchanged(entry: UnchangedEntry): Promise<void>
  /** Records how the run ended, if it did anything. @throws ExitError `ioError` */
  recordEnd(end: RunEnd): Promise<void>
  close(): Promise<void>
}

export interface OutputStateOptions {
  /**
   * Is called with all lines about documents, their paths relative to the working directory, and the runs
   * that wrote them.
   */
  readonly onEntry?: OnDocumentEntry
  /** What killed runs paid for chunks; to be shown all lines, too. */
  readonly chunkCosts?: Pick<ChunkCosts, 'observe' | 'listMissing' | 'clear' | 'finish'>
}

/**
 * @throws ExitError `usage` where another version of claude-batch wrote the ledger or the journal, or
 *   `ioError`
 */
export async function openOutputState(
  out: string,
  run: RunStart,
  { onEntry = () => {}, chunkCosts = noChunkCosts }: OutputStateOptions = {},
): Promise<OutputState> {
  const journalFile = join(out, stateFolder, 'journal.jsonl')
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
      failedPaths: ledger.failedPaths,
      damaged: ledger.damaged,
      costHistory,
      lastEnd: ledger.lastEnd,
      recoveredCount: recovery.placedCount,
      unplacedTexts: recovery.unplacedTexts,
      damagedJournalLines,
      persist: createDocumentPersister({
        out,
        journal,
        readEntries: async () => (await readJournal(journalFile)).entries,
        writer,
        // The next run takes an entry without one for the last run's that the ledger knows.
        addRun: (entry) => (recorder.isStarted() ? entry : { ...entry, run }),
        async recordDocument(entry) {
          await recorder.record(entry)
          chunkCosts.observe(entry, run)
        },
      }),
      async confirmUnchanged(entry) {
        const known = ledger.summaries.get(entry.path)
        if (known !== undefined && !known.isMisnamed)
          await removeErrorRecord(out, locateSummary(entry.path, known))
        await recorder.record(entry)
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

/** What earlier runs left on disk. */
interface FoundState {
  readonly ledger: Ledger
  readonly costHistory: TokenHistory
  /** All entries that are in the journal. */
  readonly journalEntries: readonly JournalEntry[]
  /** Those of them that are not in the ledger. */
  readonly unrecordedEntries: readonly JournalEntry[]
  /** How many lines of the journal could not be read. */
  readonly damagedLines: number
}

/** Reads journal and ledger, and compacts the ledger where that is worth it. */
async function readState(
  out: string,
  journalFile: string,
  run: RunStart,
  onEntry: OnDocumentEntry,
  chunkCosts: Pick<ChunkCosts, 'listMissing' | 'clear'>,
): Promise<FoundState> {
  const file = ledgerPath(out)
  const { entries, damagedLines } = await readJournal(journalFile)
  const unrecorded = new Map(entries.map((journaled) => [toEntryId(journaled.entry), journaled]))
  const journalEntries = [...unrecorded.values()]
  const costHistory: TokenHistory = new Map()
  const ledger = await readLedger(file, run.cwd, (entry, path, by) => {
    unrecorded.delete(toEntryId(entry))
    addObservation(costHistory, entry)
    onEntry(entry, path, by)
  })
  // Only the ledger's entries, superseded ones too, show what of the journal and the chunk costs is finished.
  const isLedgerComplete = journalEntries.length === 0 && chunkCosts.listMissing().length === 0
  if (isLedgerComplete && (needsCompaction(ledger) || ledger.unattributedLines > 0)) {
    await chunkCosts.clear()
    await compactLedger(file, run.cwd, ledger.unattributedLines > 0)
  }
  return { ledger, costHistory, journalEntries, unrecordedEntries: [...unrecorded.values()], damagedLines }
}

/** Rewriting costs about as much as reading: worth it when most of what is read is superseded. */
function needsCompaction({ lineCount, liveLineCount }: Ledger): boolean {
  const supersededCount = lineCount - liveLineCount
  return supersededCount > liveLineCount && supersededCount > 1000
}
