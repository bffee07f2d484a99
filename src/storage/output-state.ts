import { dirname, join } from 'node:path'
import { errorRecordSuffix, stateFolder } from '../core/document/output-path.ts'
import { addObservation, type TokenHistory } from '../core/estimate/estimate-cost.ts'
import {
  type DocumentEntry,
  isSummarized,
  type OutputFile,
  type RunEnd,
  type RunStart,
  type UnchangedEntry,
} from '../core/run/ledger-entry.ts'
import { ExitError } from '../errors.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { inspectErrorRecord, removeErrorRecord } from './error-record-file.ts'
import { openAppendFile } from './fs/append-file.ts'
import { isTempFile, writeFileAtomic } from './fs/atomic-write.ts'
import { syncFolder } from './fs/create-folder.ts'
import { hashText } from './fs/file-hash.ts'
import { listFolder, removeFile } from './fs/no-follow-fs.ts'
import { compactLedger } from './ledger/compact-ledger.ts'
import { type JournalEntry, JournaledError, openJournal } from './ledger/journal.ts'
import { recoveredFolder, recoverJournal, type UnplacedText } from './ledger/journal-recovery.ts'
import { locateSummary } from './ledger/known-summary.ts'
import { backUpDamaged, readJournal } from './ledger/read-journal.ts'
import { type Ledger, type OnDocumentEntry, readLedger } from './ledger/read-ledger.ts'
import { ledgerPath } from './output-folder.ts'

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
   * Keeps what a finished document leaves, from now on against any crash. Resolves with what then puts it in place and
   * records it.
   * @throws KeptError where the next run will finish it; RunError `ioError` where it is lost, and the ledger tells at least
   * what it cost, if that can be written; both
   */
  persist(entry: JournalEntry): Promise<() => Promise<void>>
  /** Records that a document is, or is again, the one that was summarized. @throws RunError `ioError` */
  confirmUnchanged(line: UnchangedEntry): Promise<void>
  /** Records how the run ended, if it did anything. @throws RunError `ioError` */
  recordEnd(line: RunEnd): Promise<void>
  close(): Promise<void>
}

export interface OutputStateOptions {
  /** Is called with all lines about documents, their paths relative to the working directory, and the runs that wrote them. */
  readonly onEntry?: OnDocumentEntry
  /** What killed runs paid for chunks; to be shown all lines, too. */
  readonly chunkCosts?: Pick<ChunkCosts, 'observe' | 'listMissing' | 'clear' | 'finish'>
}

/** @throws RunError `usage` where another version of claude-batch wrote the ledger or the journal, or `ioError` */
export async function openOutputState(
  out: string,
  run: RunStart,
  { onEntry = () => {}, chunkCosts = noChunkCosts }: OutputStateOptions = {},
): Promise<OutputState> {
  const file = ledgerPath(out)
  const journalFile = join(out, stateFolder, 'journal.jsonl')
  const leftover = await readJournal(journalFile)
  const unrecordedEntries = new Map(leftover.entries.map((entry) => [toEntryId(entry.entry), entry]))
  const leftoverEntries = [...unrecordedEntries.values()]
  const costHistory: TokenHistory = new Map()
  const ledger = await readLedger(file, run.cwd, (line, path, by) => {
    unrecordedEntries.delete(toEntryId(line))
    addObservation(costHistory, line)
    onEntry(line, path, by)
  })
  // What the journal and the chunk costs still hold is told from what is finished by the ledger's lines, superseded ones
  // too.
  const isLedgerComplete = leftoverEntries.length === 0 && chunkCosts.listMissing().length === 0
  if (isLedgerComplete && (needsCompaction(ledger) || ledger.unattributedLines > 0)) {
    await chunkCosts.clear()
    await compactLedger(file, run.cwd, ledger.unattributedLines > 0)
  }

  const ledgerFile = await openAppendFile(file, { mode: 0o600, root: out })
  const touchedFolders = new Set<string>([join(out, stateFolder)])
  let writes = 0
  let runRecording: Promise<void> | undefined
  let isRunRecorded = false

  const writeOutput = async ({ path: file, text = '' }: JournalEntry): Promise<{ output?: OutputFile }> => {
    if (file === undefined) return {}
    const path = join(out, file)
    // The user's own file of that name: the ledger alone tells of the failure then.
    if (file.endsWith(errorRecordSuffix) && (await inspectErrorRecord(out, path)) === 'other') return {}
    touchedFolders.add(dirname(path))
    const { size, mtimeMs } = await writeFileAtomic(out, path, text, `${run.run_id}-${writes++}`)
    return { output: { path: file, size_bytes: size, mtime_ms: mtimeMs, sha256: hashText(text) } }
  }
  const appendEntry = (line: DocumentEntry | UnchangedEntry) => ledgerFile.append(JSON.stringify(line))
  const ensureRunRecorded = () =>
    (runRecording ??= ledgerFile.append(JSON.stringify(run)).then(() => {
      isRunRecorded = true
    }))
  /** Records a document that this run is finished with. */
  const recordDocument = async (line: DocumentEntry) => {
    await ensureRunRecorded()
    await appendEntry(line)
    chunkCosts.observe(line, run)
  }

  /** What could not be put in place: that it was paid for is told all the same. */
  const handleWriteFailure = async ({ entry: line }: JournalEntry, error: unknown): Promise<never> => {
    if (!(error instanceof ExitError) || error instanceof JournaledError) throw error
    // Entries are written several at once: of those that failed together, some may be there whole.
    const journalNow = await readJournal(journalFile).catch(() => undefined)
    if (journalNow?.entries.some((entry) => toEntryId(entry.entry) === toEntryId(line)))
      throw new JournaledError(error)
    const status = line.status === 'summarized' ? 'pending' : line.status
    await recordDocument({ ...line, status }).catch(() => {})
    throw error
  }

  const recoverLeftovers = async () => {
    /** Whose lines follow in the ledger. What is recovered was paid for by an earlier run, and is recorded as that run's. */
    let currentRun = ledger.lastRun
    const appendRecovered = async (line: RunStart | DocumentEntry) => {
      if (line.type === 'run_start') currentRun = line
      await ledgerFile.append(JSON.stringify(line))
    }
    const recovery = await recoverJournal(unrecordedEntries.values(), {
      out,
      cwdFromOut: run.cwd,
      ledger,
      nonce: `${run.run_id}-recovered`,
      writeOutput,
      appendEntry: appendRecovered,
      onRecovered: onEntry,
    })
    const missing = chunkCosts.listMissing()
    for (const { run, entry: line } of missing) {
      if (run.run_id !== currentRun?.run_id) await appendRecovered(run)
      await appendRecovered(line)
    }
    // If this run is killed before it forgets the costs, the next one finds them in the ledger.
    if (missing.length > 0 || leftoverEntries.length > 0) await ledgerFile.sync()
    await chunkCosts.clear()
    const files = leftoverEntries.flatMap(({ path: file }) => file ?? [])
    const folders = [stateFolder, recoveredFolder, ...files.map((file) => dirname(file))]
    await removeTempFiles(out, new Set([out, ...folders.map((folder) => join(out, folder))]))
    const damaged = leftover.damagedLines + recovery.misnamedCount
    if (damaged > 0) await backUpDamaged(journalFile)
    const journal = await openJournal(journalFile, async () => {
      for (const folder of touchedFolders) await syncFolder(folder)
      touchedFolders.clear()
      await ledgerFile.sync()
    })
    return { ...recovery, damaged, journal }
  }
  const { journal, placedCount, unplacedTexts, damaged } = await recoverLeftovers().catch(
    async (error: unknown) => {
      await ledgerFile.close().catch(() => {})
      throw error
    },
  )
  return {
    summaries: ledger.summaries,
    unfinishedPaths: ledger.unfinishedPaths,
    failedPaths: ledger.failedPaths,
    damaged: ledger.damaged,
    costHistory,
    lastEnd: ledger.lastEnd,
    recoveredCount: placedCount,
    unplacedTexts,
    damagedJournalLines: damaged,
    async persist(entry) {
      try {
        // Whoever has to finish the entry takes it for the last run's that the ledger knows.
        const finishEntry = await journal.append(isRunRecorded ? entry : { ...entry, run })
        return () =>
          finishEntry(async () => {
            const line = { ...entry.entry, ...(await writeOutput(entry)) }
            if (isSummarized(line)) await removeErrorRecord(out, line.output.path)
            await recordDocument(line)
          }).catch((error: unknown) => handleWriteFailure(entry, error))
      } catch (error) {
        return handleWriteFailure(entry, error)
      }
    },
    async confirmUnchanged(line) {
      const known = ledger.summaries.get(line.path)
      if (known !== undefined && !known.isMisnamed)
        await removeErrorRecord(out, locateSummary(line.path, known))
      await ensureRunRecorded()
      await appendEntry(line)
    },
    async recordEnd(line) {
      if (isRunRecorded) await ledgerFile.append(JSON.stringify(line))
    },
    async close() {
      try {
        await journal.close()
        await chunkCosts.finish()
      } finally {
        await ledgerFile.close()
      }
    },
  }
}

const noChunkCosts: NonNullable<OutputStateOptions['chunkCosts']> = {
  observe() {},
  listMissing: () => [],
  async clear() {},
  async finish() {},
}

function toEntryId({ path, ended_at: time }: DocumentEntry): string {
  return `${time} ${path}`
}

/** Rewriting costs about as much as reading: worth it when most of what is read says nothing any more. */
function needsCompaction({ lineCount: lines, liveLineCount: live }: Ledger): boolean {
  return lines - live > live && lines - live > 1000
}

/** Files that a run was writing when it was killed; whoever holds the lock knows that nobody writes them any more. */
async function removeTempFiles(out: string, folders: ReadonlySet<string>): Promise<void> {
  for (const folder of folders) {
    const names = await listFolder(out, folder).catch(() => [])
    for (const name of names.filter(isTempFile)) await removeFile(out, join(folder, name)).catch(() => {})
  }
}
