import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSafeRelativePath } from '../../core/document/output-path.ts'
import { isJournalEntry, isRunStart } from '../../core/run/check-ledger-entry.ts'
import { ledgerFormatVersion } from '../../core/run/ledger-entry.ts'
import { isObject, isObjectWith, isString, optional } from '../../core/text/shape-checks.ts'
import { toWriteError } from '../fs/disk-error.ts'
import { openForReading } from '../fs/no-follow-fs.ts'
import { readLines } from '../fs/read-lines.ts'
import { openUnsharedFile, streamContent } from '../fs/unshared-file.ts'
import type { JournalEntry } from './journal.ts'
import { newerFormatError } from './read-ledger.ts'

/** What an earlier run left in its journal. */
export interface JournalContent {
  readonly entries: readonly JournalEntry[]
  /** Lines that cannot be read. One that was torn by the run's end is none of them: it was not kept yet. */
  readonly damagedLines: number
}

/** @throws RunError `usage` where a newer version of this program wrote it, or `ioError` */
export async function readJournal(journal: string): Promise<JournalContent> {
  const entries: JournalEntry[] = []
  let damagedLines = 0
  const addEntry = (text: string): boolean => {
    const entry = parseJson(text)
    const version = readFormatVersion(entry)
    if (version > ledgerFormatVersion) throw newerFormatError(journal, version)
    if (!isEntry(entry)) return false
    entries.push(entry)
    return true
  }
  for await (const texts of readLines(journal, undefined, addEntry))
    for (const text of texts) if (text !== '' && !addEntry(text)) damagedLines++
  return { entries, damagedLines }
}

/**
 * Adds what is in a state file to `<file>.damaged`, so that the lines which cannot be read can be got out by hand.
 * @throws RunError `ioError`
 */
export async function backUpDamaged(file: string): Promise<void> {
  const root = dirname(dirname(file))
  const backup = `${file}.damaged`
  let from: FileHandle | undefined
  let to: FileHandle | undefined
  try {
    from = await openForReading(root, file)
    if (from === undefined) return
    to = await openUnsharedFile(root, backup, 0o600)
    for await (const piece of streamContent(from)) await to.appendFile(piece)
    await to.datasync()
  } catch (error) {
    throw toWriteError(backup, error as NodeJS.ErrnoException)
  } finally {
    await from?.close().catch(() => {})
    await to?.close().catch(() => {})
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readFormatVersion(entry: unknown): number {
  const line = isObject(entry) ? entry['line'] : undefined
  const version = isObject(line) ? line['v'] : undefined
  return typeof version === 'number' ? version : 0
}

/** Whether a run can have written this entry; the file is untrusted. */
function isEntry(value: unknown): value is JournalEntry {
  if (!hasJournalEntryShape(value)) return false
  const { line, file, text } = value as JournalEntry
  if ((file === undefined) !== (text === undefined)) return false
  return line.v === ledgerFormatVersion && (line.status !== 'summarized' || file !== undefined)
}

const hasJournalEntryShape = isObjectWith({
  line: isJournalEntry,
  file: optional(isSafeRelativePath),
  text: optional(isString),
  run: optional(isRunStart),
})
