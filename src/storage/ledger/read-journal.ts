import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { findOtherVersion } from '../../core/run/parse-ledger-entry.ts'
import { isObject } from '../../core/text/shape.ts'
import { toWriteError } from '../fs/disk-error.ts'
import { openForReading } from '../fs/no-follow-fs.ts'
import { readLines } from '../fs/read-lines.ts'
import { openUnsharedFile, streamContent } from '../fs/unshared-file.ts'
import { type JournalEntry, journalEntryShape } from './journal.ts'
import { otherVersionError } from './reduce-ledger.ts'

/** The entries that an earlier run left in its journal. */
export interface JournalContent {
  readonly entries: readonly JournalEntry[]
  /** How many lines cannot be read. A partial last line does not count: its `append` never resolved. */
  readonly damagedLines: number
}

/** Reads a journal. @throws ExitError `usage` if another version of claude-batch wrote it; `ioError` */
export async function readJournal(journal: string): Promise<JournalContent> {
  const entries: JournalEntry[] = []
  let damagedLines = 0
  const addEntry = (text: string): boolean => {
    const entry = parseJson(text)
    const version = findJournalVersion(entry)
    if (version !== undefined) throw otherVersionError(journal, version)
    if (!isEntry(entry)) return false
    entries.push(entry)
    return true
  }
  for await (const texts of readLines(journal, undefined, addEntry))
    for (const text of texts) if (text !== '' && !addEntry(text)) damagedLines++
  return { entries, damagedLines }
}

/**
 * Appends the content of a state file to `<file>.damaged`, so that unreadable lines can be recovered by hand.
 * @throws ExitError `ioError`
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

/**
 * Returns the format version of a journal entry if it is not the current one. Format 1 called the entry
 * `line`.
 */
function findJournalVersion(value: unknown): number | undefined {
  return isObject(value) ? findOtherVersion(value['entry'] ?? value['line']) : undefined
}

/** Whether claude-batch can have written this entry; the file is untrusted. */
function isEntry(value: unknown): value is JournalEntry {
  if (!journalEntryShape.matches(value)) return false
  const { entry, path, text } = value
  return (
    (path === undefined) === (text === undefined) && (entry.status !== 'summarized' || path !== undefined)
  )
}
