import { basename, dirname, extname, join, resolve } from 'node:path'
import { errorRecordSuffix, isOutputOf, stateFolder } from '../../core/document/output-path.ts'
import {
  type DocumentEntry,
  isSummarized,
  type OutputFile,
  type RunStart,
} from '../../core/run/ledger-entry.ts'
import { inspectErrorRecord } from '../error-record-file.ts'
import { writeFileAtomic } from '../fs/atomic-write.ts'
import { syncFolders } from '../fs/create-folder.ts'
import { hashFile, hashText } from '../fs/file-hash.ts'
import { statFile } from '../fs/no-follow-fs.ts'
import { isPathAllowed } from '../fs/path-length.ts'
import { ledgerPath } from '../output-folder.ts'
import type { OutputWriter } from '../output-writer.ts'
import type { JournalEntry } from './journal.ts'
import { type KnownSummary, locateSummary, toKnownSummary } from './known-summary.ts'
import type { Ledger, OnDocumentEntry } from './read-ledger.ts'
import type { RecordedEntries } from './recorded-entries.ts'
import { createPathRebaser } from './reduce-ledger.ts'

/** The result of recovering the entries that an earlier run left in its journal. */
export interface JournalRecovery {
  /** How many documents are finished now that were not before. */
  readonly placedCount: number
  readonly unplacedTexts: readonly UnplacedText[]
  /** How many entries name a file that cannot belong to their document. */
  readonly misnamedCount: number
}

/** The folder for texts whose place is taken, relative to the output folder. */
export const recoveredFolder = `${stateFolder}/recovered`

/**
 * A text that was not put in place because another file is there. Both paths are relative to the output
 * folder.
 */
export interface UnplacedText {
  readonly intendedPath: string
  readonly savedPath: string
}

export interface RecoveryOptions {
  readonly out: string
  /** The working directory, relative to the output folder. */
  readonly cwdFromOut: string
  /** Recovered summaries are added to `summaries`. */
  readonly ledger: Pick<Ledger, 'summaries' | 'lastRun'>
  readonly recorded: Pick<RecordedEntries, 'isRecorded' | 'isLatest' | 'wasSummary'>
  /** Makes the names of temporary files unique to this process. */
  readonly nonce: string
  /** Writes an entry's file. */
  readonly writeOutput: (entry: JournalEntry) => Promise<{ readonly output?: OutputFile }>
  readonly removeErrorRecord: OutputWriter['removeErrorRecord']
  /** Appends an entry to the ledger. */
  readonly appendEntry: (line: RunStart | DocumentEntry) => Promise<void>
  /**
   * Called with each document's entry, its path relative to the working directory, and the run that paid for
   * it.
   */
  readonly onRecovered: OnDocumentEntry
}

/**
 * Finishes the entries that an earlier run left in its journal: writes each text to its file and records it
 * as a result of that run. After a power failure, the ledger can have an entry whose file is lost. The journal is
 * untrusted. So a text is written only to a file name that its
 * document can have. Also, no file may exist there, unless the ledger shows that it is the document's
 * summary. Otherwise the text, which is paid for, goes to `recovered/` in the state folder. File times are
 * not compared, because they come from the journal too.
 * @throws ExitError `ioError`
 */
export async function recoverJournal(
  entries: Iterable<JournalEntry>,
  options: RecoveryOptions,
): Promise<JournalRecovery> {
  const { out, cwdFromOut, ledger, recorded, writeOutput, removeErrorRecord, appendEntry, onRecovered } =
    options
  const rebase = createPathRebaser(ledgerPath(out), cwdFromOut)
  const cwd = resolve(out, cwdFromOut)
  const unplacedTexts: UnplacedText[] = []
  let [placedCount, misnamedCount] = [0, 0]
  let run = ledger.lastRun
  for (const journaled of entries) {
    const { entry, path: file, text = '' } = journaled
    const owner = journaled.run ?? run
    const path = rebase(owner, entry.path)
    if (recorded.isRecorded(entry)) {
      if (recorded.isLatest(entry, path) && (await restoreOutput(journaled, path, options))) placedCount++
      continue
    }
    if (file !== undefined && !isOutputOf(file, path, cwd)) {
      misnamedCount++
      continue
    }
    if (owner !== undefined && owner.run_id !== run?.run_id) await appendEntry(owner)
    run = owner
    const canPlace =
      file === undefined || (await canPlaceText(out, file, text, path, ledger.summaries.get(path)))
    if (!canPlace) {
      const savedPath = await saveUnplaced(journaled, options)
      unplacedTexts.push({ intendedPath: file, savedPath })
    } else placedCount++
    const written = canPlace ? await writeOutput(journaled) : describeUnwrittenOutput(journaled)
    const finished = { ...entry, ...written }
    if (isSummarized(finished)) await removeErrorRecord(finished.output.path)
    await appendEntry(finished)
    onRecovered(finished, path, run)
    if (isSummarized(finished)) ledger.summaries.set(path, toKnownSummary(finished, path, cwd, run))
  }
  return { placedCount, unplacedTexts, misnamedCount }
}

/**
 * Writes the file of an entry that the ledger has, if the file was lost in a power failure: it is missing, or has an
 * earlier summary. A file with any other content was changed by hand. @returns whether the file was written
 */
async function restoreOutput(
  journaled: JournalEntry,
  path: string,
  { out, cwdFromOut, recorded, writeOutput, removeErrorRecord }: RecoveryOptions,
): Promise<boolean> {
  const { entry, path: file, text = '' } = journaled
  if (file === undefined || !isOutputOf(file, path, resolve(out, cwdFromOut)) || !isPathAllowed(out, file))
    return false
  const place = join(out, file)
  const stats = statFile(out, place)
  const isSummary = !file.endsWith(errorRecordSuffix)
  const hash = isSummary && stats?.isFile() ? await hashFile(out, place) : undefined
  const isLost =
    stats === undefined || (hash !== undefined && hash !== hashText(text) && recorded.wasSummary(path, hash))
  if (isLost) await writeOutput(journaled)
  if (entry.status === 'summarized') await removeErrorRecord(file)
  return isLost
}

/**
 * Whether a text may be written to its file.
 * @param known the summary that the ledger has for the document
 */
async function canPlaceText(
  out: string,
  file: string,
  text: string,
  path: string,
  known: KnownSummary | undefined,
): Promise<boolean> {
  if (!isPathAllowed(out, file)) return false
  const place = join(out, file)
  if (file.endsWith(errorRecordSuffix)) return (await inspectErrorRecord(out, place)) !== 'other'
  const stats = statFile(out, place)
  if (stats === undefined) return true
  const hash = stats.isFile() ? await hashFile(out, place) : undefined
  if (hash === hashText(text)) return true
  return known !== undefined && locateSummary(path, known) === file && known.output.sha256 === hash
}

/** Saves a text in the folder for recovered texts. @returns its path, relative to the output folder */
async function saveUnplaced(
  { path: file = '', text = '' }: JournalEntry,
  { out, nonce }: RecoveryOptions,
): Promise<string> {
  const hash = hashText(text).slice(0, 12)
  const hashedName = `${hash}-${basename(file)}`
  const longPath = `${recoveredFolder}/${hashedName}`
  const savedPath = isPathAllowed(out, longPath) ? longPath : `${recoveredFolder}/${hash}${extname(file)}`
  await writeFileAtomic(out, join(out, savedPath), text, nonce, 0o600)
  // The journal is the only other copy of the text, and will be emptied.
  await syncFolders(out, [dirname(join(out, savedPath))])
  return savedPath
}

/**
 * Returns the ledger fields of a summary that was not put in place. Later runs treat the summary as modified
 * by hand, so they do not summarize the document again.
 */
function describeUnwrittenOutput({ entry, path, text = '' }: JournalEntry): { readonly output?: OutputFile } {
  if (path === undefined || entry.status !== 'summarized') return {}
  return { output: { path, size_bytes: Buffer.byteLength(text), mtime_ms: 0, sha256: hashText(text) } }
}
